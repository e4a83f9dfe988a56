export { TRANSPORT_ERROR_CODES, TransportError } from './errors.js';
export type { Fault, TransportErrorCode } from './errors.js';
export { checkJson } from './frame/json-check.js';
export type { Metadata } from './frame/message.js';
export type { LimitOptions } from './limits.js';
export type { KeyLimits } from './record/half-connection.js';
export { SocketView } from './connection/socket-view.js';
export { SealwireClient } from './nest/client.js';
export type { SealwireClientEvents } from './nest/client.js';
export type { ClientConnectionEvent } from './nest/connection-event.js';
export { SealwireContext } from './nest/context.js';
export { NO_MESSAGE_HANDLER } from './nest/dispatcher.js';
export { drainFirst } from './nest/drain-first.js';
export type { SealwireClientOptions, SealwireOptions, SealwireServerOptions } from './nest/options.js';
export { SealwireRecord, SealwireRecordBuilder } from './nest/record-builder.js';
export type { SealwireRecordOptions } from './nest/record-builder.js';
export { RemoteError } from './nest/remote-error.js';
export { SealwireModule } from './nest/sealwire.module.js';
export type {
  AsyncClientOptions,
  Clients,
  MadeClientOptions,
  NamedClientOptions,
  SealwireOptionsFactory,
} from './nest/sealwire.module.js';
export { SEALWIRE, SealwireServer } from './nest/server.js';
export type { SealwireServerEvents, SealwireStatus, ServerConnectionEvent } from './nest/server.js';
export type { SealwireClientSnapshot, SealwireServerSnapshot } from './nest/snapshot.js';
