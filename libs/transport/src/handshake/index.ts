// What the connection calls. Everything else is private to this folder.
export { abandonInitiator, startInitiator, receiveMessage2 } from './initiator.js';
export type { InitiatorState } from './initiator.js';
export { checkMessage1Prefix, ephemeralOf, expectedReplyBytes, MESSAGE_1_BYTES } from './messages.js';
export { ALERT } from './preamble.js';
export { respond } from './responder.js';
export type { HandshakeOptions, PskOfKey, Session } from './session.js';
export { Ephemeral } from './x25519.js';
