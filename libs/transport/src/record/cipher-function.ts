// The cipher function of docs/protocol.md §3: a key of 32 bytes and a counter in, sealed bytes out.
import { createCipheriv } from 'node:crypto';
import { hkdfExpand, openA128CbcHs256, sealA128CbcHs256 } from '@sealwire/crypto';

import { TransportError } from '../errors.js';

export const KEY_BYTES = 32;
export const TAG_BYTES = 16;
export const BLOCK_BYTES = 16;

/** What the handshake and the records need of a cipher. `n` is the counter of one direction, 0 to 2^48. */
export interface CipherFunction {
  /** Its part of the Noise protocol name. */
  readonly name: string;
  seal(key: Buffer, n: number, ad: Buffer, plaintext: Buffer): Buffer;
  /** @throws {TransportError} `ERR_OPEN_FAILED`, whatever was wrong. */
  open(key: Buffer, n: number, ad: Buffer, sealed: Buffer): Buffer;
}

/** keys(k) of §3: what one key of 32 bytes expands to. */
export interface ExpandedKey {
  /** MAC(16) ‖ ENC(16): the key of A128CBC-HS256. */
  readonly macAndEnc: Buffer;
  /** The key of the IV function; never used for anything else. */
  readonly ivKey: Buffer;
}

export function expandKey(key: Buffer): ExpandedKey {
  const keys = Buffer.from(hkdfExpand(key, 'keys', 48));
  return { macAndEnc: keys.subarray(0, 32), ivKey: keys.subarray(32, 48) };
}

/** REKEY(k) of §3. */
export function rekey(key: Buffer): Buffer {
  return Buffer.from(hkdfExpand(key, 'rekey', KEY_BYTES));
}

/** IV(n) of §3: AES-128 of the counter under its own key. Unpredictable without the key, and never sent. */
export function deriveIv(ivKey: Buffer, n: number): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  block.writeUIntBE(n, 10, 6);
  const cipher = createCipheriv('aes-128-ecb', ivKey, null).setAutoPadding(false);
  return cipher.update(block);
}

export function sealExpanded(key: ExpandedKey, n: number, ad: Buffer, plaintext: Buffer): Buffer {
  return Buffer.from(sealA128CbcHs256(key.macAndEnc, deriveIv(key.ivKey, n), ad, plaintext).buffer);
}

/** @throws {TransportError} `ERR_OPEN_FAILED`, whatever was wrong. */
export function openExpanded(key: ExpandedKey, n: number, ad: Buffer, sealed: Buffer): Buffer {
  try {
    return Buffer.from(openA128CbcHs256(key.macAndEnc, deriveIv(key.ivKey, n), ad, sealed).buffer);
  } catch (cause) {
    throw new TransportError('ERR_OPEN_FAILED', 'Sealed bytes that do not open', { cause });
  }
}

export const A128CBC_HS256: CipherFunction = {
  name: 'A128CBC/HS256',
  seal: (key, n, ad, plaintext) => sealExpanded(expandKey(key), n, ad, plaintext),
  open: (key, n, ad, sealed) => openExpanded(expandKey(key), n, ad, sealed),
};
