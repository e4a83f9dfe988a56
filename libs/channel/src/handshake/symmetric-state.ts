// CipherState and SymmetricState of Noise (revision 34, §5.1 and §5.2) over any cipher suite; docs/protocol.md §4.
import { hkdfExpand, hkdfExtract, wipe } from '@sealwire/crypto';
import { sha256 } from '@sealwire/crypto/internal';
import type { CipherSuite } from '@sealwire/crypto/internal';

import { TransportError } from '../errors.js';

const HASH_BYTES = 32;

/** One key and its counter, which only a successful seal or open increments. */
export class CipherState {
  readonly #suite: CipherSuite;
  readonly #key: Buffer;
  #n = 0;

  constructor(suite: CipherSuite, key: Buffer) {
    this.#suite = suite;
    this.#key = key;
  }

  seal(ad: Buffer, plaintext: Buffer): Buffer {
    const inner = Buffer.alloc(plaintext.length + this.#suite.paddingRoomBytes);
    inner.set(plaintext);
    const sealed = Buffer.alloc(this.#suite.sealedBytes(plaintext.length));
    const sealer = this.#suite.createSealer(this.#key, this.#n);
    sealer.sealInto(sealed, 0, ad, inner, plaintext.length);
    sealer.wipe();
    this.#n += 1;
    return sealed;
  }

  /** @throws {TransportError} `ERR_BAD_MAC`; the counter does not change. */
  open(ad: Buffer, sealed: Buffer): Buffer {
    const opener = this.#suite.createOpener(this.#key, this.#n);
    try {
      const plaintext = opener.open(ad, sealed);
      this.#n += 1;
      return plaintext;
    } catch (cause) {
      throw new TransportError(
        'ERR_BAD_MAC',
        'A handshake message failed authentication: wrong key, wrong service name, or altered bytes',
        { cause },
      );
    } finally {
      opener.wipe();
    }
  }

  /** Overwrites the key. */
  wipe(): void {
    wipe(this.#key);
    this.#n = Infinity; // invalid, because a key of zeros must not seal anything
  }
}

/** The traffic keys of a finished handshake, 32 bytes each. */
export interface SplitKeys {
  readonly initiatorKey: Buffer;
  readonly responderKey: Buffer;
}

/**
 * The hash of the messages so far, and the chaining key of the secrets so far. The psk is mixed in from the start, as
 * in every psk0 pattern, so there is always a key and no payload can be sent unsealed.
 */
export class SymmetricState {
  readonly #suite: CipherSuite;
  #chainingKey: Buffer;
  #hash: Buffer;
  #cipherState: CipherState;

  /** @param protocolName - The full name, with which the hash starts. */
  constructor(suite: CipherSuite, protocolName: string, prologue: Buffer, psk: Uint8Array) {
    const name = Buffer.from(protocolName);
    const start = name.length > HASH_BYTES ? sha256(name) : Buffer.concat([name], HASH_BYTES); // padded with zeros
    const mixed = hkdf(start, psk, 3);
    this.#suite = suite;
    this.#chainingKey = output(mixed, 0);
    const mixedIn = output(mixed, 1);
    this.#hash = sha256(sha256(start, prologue), mixedIn);
    this.#cipherState = new CipherState(suite, output(mixed, 2));
    wipe(mixed, mixedIn);
  }

  /** The hash of all messages so far. After the last message it identifies the session. Valid until {@link wipe}. */
  get handshakeHash(): Buffer {
    return this.#hash;
  }

  /** Derives a fresh key that also depends on `secret`; its counter starts at 0. */
  mixKey(secret: Buffer): void {
    const mixed = hkdf(this.#chainingKey, secret, 2);
    this.#wipeKeys();
    this.#chainingKey = output(mixed, 0);
    this.#cipherState = new CipherState(this.#suite, output(mixed, 1));
    wipe(mixed);
  }

  mixHash(said: Buffer): void {
    this.#hash = sha256(this.#hash, said);
  }

  sealAndHash(payload: Buffer): Buffer {
    const sealed = this.#cipherState.seal(this.#hash, payload);
    this.mixHash(sealed);
    return sealed;
  }

  /** @throws {TransportError} `ERR_BAD_MAC`; the state does not change. */
  openAndHash(sealed: Buffer): Buffer {
    const payload = this.#cipherState.open(this.#hash, sealed);
    this.mixHash(sealed);
    return payload;
  }

  split(): SplitKeys {
    const mixed = hkdf(this.#chainingKey, Buffer.alloc(0), 2);
    const keys = { initiatorKey: output(mixed, 0), responderKey: output(mixed, 1) };
    wipe(mixed);
    return keys;
  }

  /** Ends the handshake: overwrites the secrets, and the hash, on which the proof of the instance depends. */
  wipe(): void {
    this.#wipeKeys();
    wipe(this.#hash);
  }

  #wipeKeys(): void {
    wipe(this.#chainingKey);
    this.#cipherState.wipe();
  }
}

// The HKDF of Noise, §4.3, which is that of RFC 5869 with an empty info.
function hkdf(chainingKey: Buffer, secret: Uint8Array, outputs: number): Buffer {
  const prk = hkdfExtract(chainingKey, secret);
  const bytes = hkdfExpand(prk, '', outputs * HASH_BYTES);
  wipe(prk);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Returns a copy in memory of its own, because the outputs are wiped at different times. */
function output(mixed: Buffer, index: number): Buffer {
  const bytes = Buffer.alloc(HASH_BYTES);
  mixed.copy(bytes, 0, index * HASH_BYTES);
  return bytes;
}
