export type { CallMessage, OverloadedMessage, UnhandledMessage } from './diagnostics.js';
export { TRANSPORT_ERROR_CODES, TransportError, SocketView } from '@sealwire/channel';
export type { ConnectionMessage, ForbiddenMessage, HandshakeMessage } from '@sealwire/channel/internal';
export type {
  ClientConnectionEvent,
  Delivery,
  Fault,
  KeyLimits,
  RedialOptions,
  TimeoutOptions,
  TransportErrorCode,
} from '@sealwire/channel';
export { checkJson } from './packet/json-check.js';
export type { Metadata } from './packet/message.js';
export { SealwireClient } from './client/client.js';
export type { SealwireClientEvents } from './client/client-events.js';
export { AllowKeys, SealwireKeysGuard } from './guard/allow-keys.js';
export { SealwireContext } from './handler/context.js';
export type { SealwirePeer } from './handler/context.js';
export { NO_MESSAGE_HANDLER } from './server/dispatcher.js';
export { drainFirst } from './server/drain-first.js';
export type { SealwireLimitOptions } from './handler-limits.js';
export type { SealwireClientOptions, SealwireOptions, SealwireServerOptions } from './options.js';
export { SealwireRecord, SealwireRecordBuilder } from './client/record-builder.js';
export type { SealwireRecordOptions } from './client/record-builder.js';
export { RemoteError } from './packet/remote-error.js';
export { SealwireModule } from './client/sealwire.module.js';
export type {
  AsyncClientOptions,
  Clients,
  MadeClientOptions,
  NamedClientOptions,
  SealwireOptionsFactory,
} from './client/sealwire.module.js';
export { SEALWIRE, SealwireServer } from './server/server.js';
export type { SealwireServerEvents, SealwireStatus, ServerConnectionEvent } from './server/server-events.js';
export type { ConnectionsOfKey, SealwireClientSnapshot, SealwireServerSnapshot } from './snapshot.js';
