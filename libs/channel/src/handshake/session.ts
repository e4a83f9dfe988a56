// The input and the result of a handshake (docs/protocol.md §4).
import type { KeyPair } from '@sealwire/crypto/internal';

import type { Announcement } from './announcement.js';

export interface HandshakeOptions {
  /** The name that both sides must have configured. It keeps services that share a key apart. */
  readonly service: string;
  readonly announcement: Announcement;
  /** For tests against vectors. By default a fresh pair is generated. */
  readonly ephemeral?: KeyPair;
}

/** A pre-shared key with its id. */
export interface PskOfKey {
  /** 8 bytes, public. */
  readonly keyId: Buffer;
  /** 32 bytes. Read, never kept. */
  readonly psk: Uint8Array;
}

/** The session of both sides after message 2. The server trusts it only after it has verified CONFIRM. */
export interface Session {
  /** 32 bytes: the first traffic key for sending. */
  readonly outgoingKey: Buffer;
  /** 32 bytes: the first traffic key for receiving. */
  readonly incomingKey: Buffer;
  /** 8 bytes: the id of the key of the session. */
  readonly keyId: Buffer;
}

/** The session of a client. */
export interface ClientSession extends Session {
  /** 16 bytes that identify the server object on all its connections. */
  readonly serverId: Buffer;
  /** The announcement of the server in message 2. */
  readonly peer: Announcement;
  /** The body of CONFIRM, which must be the first record. */
  readonly confirm: Buffer;
}
