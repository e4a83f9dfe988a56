// What a handshake is given and what it yields; the same on both sides (docs/protocol.md §4).
import type { Announcement } from './payload.js';
import type { Ephemeral } from './x25519.js';

export interface HandshakeOptions {
  /** The name both sides must have configured: services that share a key cannot be confused for one another. */
  readonly service: string;
  readonly announcement: Announcement;
  /** For tests against vectors. Left out, a fresh one is drawn. */
  readonly ephemeral?: Ephemeral;
}

/** A key as the handshake needs it. */
export interface PskOfKey {
  /** 8 bytes, public. */
  readonly keyId: Buffer;
  /** 32 bytes. Read, never kept. */
  readonly psk: Uint8Array;
}

/** What both sides hold after the handshake. The server trusts it only once the client's CONFIRM was opened with it. */
export interface Session {
  /** 32 bytes: the first traffic key of what this side sends. */
  readonly outgoingKey: Buffer;
  /** 32 bytes: the first traffic key of what this side receives. */
  readonly incomingKey: Buffer;
  readonly peer: Announcement;
  /** 32 bytes, the same on both sides and in no other session. */
  readonly handshakeHash: Buffer;
  /** 8 bytes: the key that the session was made with. */
  readonly keyId: Buffer;
}
