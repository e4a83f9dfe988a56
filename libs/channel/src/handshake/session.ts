// What a handshake is given and what it yields (docs/protocol.md §4).
import type { KeyPair } from '@sealwire/crypto/internal';

import type { Announcement } from './announcement.js';

export interface HandshakeOptions {
  /** The name both sides must have configured: services that share a key cannot be confused for one another. */
  readonly service: string;
  readonly announcement: Announcement;
  /** For tests against vectors. Left out, a fresh one is drawn. */
  readonly ephemeral?: KeyPair;
}

/** A key as the handshake needs it. */
export interface PskOfKey {
  /** 8 bytes, public. */
  readonly keyId: Buffer;
  /** 32 bytes. Read, never kept. */
  readonly psk: Uint8Array;
}

/** What both sides hold after message 2. The server trusts it only once the client's CONFIRM was verified. */
export interface Session {
  /** 32 bytes: the first traffic key of what this side sends. */
  readonly outgoingKey: Buffer;
  /** 32 bytes: the first traffic key of what this side receives. */
  readonly incomingKey: Buffer;
  /** 8 bytes: the key that the session was made with. */
  readonly keyId: Buffer;
}

/** What a client holds as well. */
export interface ClientSession extends Session {
  /** 16 bytes: what the server object is known by, on all its connections. */
  readonly serverId: Buffer;
  /** What the server announced in message 2. */
  readonly peer: Announcement;
  /** The body of CONFIRM, which has to be the first record. */
  readonly confirm: Buffer;
}
