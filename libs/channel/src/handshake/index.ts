// The interface of the handshake. Everything else is private to this folder.
export { KeyPair } from '@sealwire/crypto/internal';

export type { Announcement } from './announcement.js';
export { checkConfirmPrefix, CONFIRM_RECORD_BYTES, ConfirmVerifier, instanceIdOf } from './confirm.js';
export type { ConfirmedClient } from './confirm.js';
export { abandonInitiator, startInitiator, receiveMessage2 } from './initiator.js';
export type { InitiatorOptions, InitiatorState } from './initiator.js';
export { checkMessage1Prefix, ephemeralOf, expectedReplyBytes, MESSAGE_1_BYTES } from './messages.js';
export { ALERT } from './preamble.js';
export { respond } from './responder.js';
export type { ClientSession, PskOfKey, Session } from './session.js';
