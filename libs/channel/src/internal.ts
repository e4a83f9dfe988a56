// Names for @sealwire/transport of the same version beyond the public ones. They may change in any release.
export { Call, requestTimedOut } from './calls/call.js';
export { CallQueue } from './calls/call-queue.js';
export { connectFailed } from './client/connect-failed.js';
export { Dialer } from './client/dialer.js';
export type { LinkCounts, Links } from './client/links.js';
export { clock, MAX_TIMER_MS } from './clock.js';
export type { ConnectionCodec } from './connection/codec.js';
export { takeCodec } from './connection/sealing.js';
export { TrafficCounter } from './connection/traffic-counter.js';
export type { Traffic } from './connection/traffic-counter.js';
export { Deadline } from './deadline.js';
export { publishCallForbidden } from './diagnostics.js';
export type { ConnectionMessage, ForbiddenMessage, HandshakeMessage } from './diagnostics.js';
export { codeOf, isError, toTransportError } from './errors.js';
export { readSequence, readTimeout, SEQUENCE_BYTES, TIMEOUT_BYTES } from './frame/prefix.js';
export type { Session } from './handshake/session.js';
export { forgetOwnClient, noteOwnClient } from './instances.js';
export { CallChannels, ObservedCall } from './observed-call.js';
export type { CallReport, Writable } from './observed-call.js';
export { ChannelKeys } from './keys/channel-keys.js';
export type { KeyOptions } from './keys/channel-keys.js';
export {
  CHANNEL_PATHS,
  checkChannelOptions,
  DELIVERY,
  KEYRING,
  resolveEndpoint,
  resolveService,
} from './options/channel-options.js';
export { formatEndpoint, remoteAddress, SOCKET_OPTIONS } from './options/endpoint.js';
export type { Endpoint } from './options/endpoint.js';
export { LIMITS, quarterOfHeap } from './options/limit-tables.js';
export { checkLimit, KIB, MAX_U32, resolveTable } from './options/limit-check.js';
export type { Given, LimitTable, Resolved, Side } from './options/limit-check.js';
export { pathsOf, resolveLimits } from './options/limits.js';
export type { LimitGroups, Limits } from './options/limits.js';
export {
  checkOption,
  checkOptions,
  checkPaths,
  FLAG,
  FUNCTION,
  hasMethod,
  isObject,
  isThenable,
  having,
  NAME,
  OBJECT,
  oneOf,
  show,
  TRANSPORT_ID,
} from './options/option-check.js';
export type { Rule } from './options/option-check.js';
export { Pool } from './pool/pool.js';
export { closed, closedBefore } from './pool/waiting-calls.js';
export { markProvesPeer, provesPeer } from './proved-peer.js';
export type { PeerNames } from './proved-peer.js';
export type { OutgoingContent, RecordContent } from './record/content.js';
export { LENGTH_BYTES } from './record/record.js';
export { encodeHead, endOfPart, PART_LENGTH_BYTES } from './sending/head.js';
export type { MessageHead } from './sending/outgoing-message.js';
export { answerCodeOf, failureOf, isWireError, refusalOf, wireError } from './sending/wire-error.js';
export type { RefusalCode, WireErrorCode } from './sending/wire-error.js';
export { RunningInConnection } from './server/running-in-connection.js';
export { RunningInServer } from './server/running-in-server.js';
export type { WaitingEvents } from './server/running-in-server.js';
export type { Peer } from './server/server-link.js';
export { ListenerSlot } from './server/listener-slot.js';
export type { Listening } from './server/listener-slot.js';
export type { HandshakeFailure } from './server/listener.js';
export { Strangers } from './server/strangers.js';
export type { Stranger } from './server/strangers.js';
export type { EventWindow } from './streams/events/event-window.js';
export { IdTable } from './streams/id-table.js';
export { PROCESS_MEMORY } from './streams/incomplete-memory.js';
export { within } from './within.js';
