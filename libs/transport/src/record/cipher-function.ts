// The cipher function of docs/protocol.md §3: a key of 32 bytes and a counter in, sealed bytes out.
import { createCipheriv } from 'node:crypto';

import { hkdfExpand, openA128CbcHs256, sealA128CbcHs256, wipe } from '@sealwire/crypto';

import { TransportError } from '../errors.js';

export const KEY_BYTES = 32;
const BLOCK_BYTES = 16;

/** What the handshake needs of a cipher. `n` is a counter below 2^48 that never comes again under one key. */
export interface CipherFunction {
  /** Its part of the Noise protocol name. */
  readonly name: string;
  seal(key: Buffer, n: number, ad: Buffer, plaintext: Buffer): Buffer;
  /** @throws {TransportError} `ERR_OPEN_FAILED`, whatever was wrong. */
  open(key: Buffer, n: number, ad: Buffer, sealed: Buffer): Buffer;
}

/** keys(k): what one key expands to. */
export interface ExpandedKey {
  /** MAC(16) ‖ ENC(16): the key of A128CBC-HS256. */
  readonly macAndEnc: Buffer;
  /** IVK(16): used for nothing but the IVs. */
  readonly ivKey: Buffer;
}

/** @returns Views of one ArrayBuffer of their own, for the caller to {@link wipe}. */
export function expandKey(key: Buffer): ExpandedKey {
  const keys = view(hkdfExpand(key, 'keys', 48));
  return { macAndEnc: keys.subarray(0, 32), ivKey: keys.subarray(32, 48) };
}

/** REKEY(k). */
export function rekey(key: Buffer): Buffer {
  return view(hkdfExpand(key, 'rekey', KEY_BYTES));
}

/** One failure, whatever was wrong. */
export function openFailed(cause: unknown): TransportError {
  return new TransportError('ERR_OPEN_FAILED', 'Sealed bytes that do not open', { cause });
}

export const A128CBC_HS256: CipherFunction = {
  name: 'A128CBC/HS256',
  seal(key, n, ad, plaintext) {
    return withKeys(key, n, (macAndEnc, iv) => view(sealA128CbcHs256(macAndEnc, iv, ad, plaintext)));
  },
  open(key, n, ad, sealed) {
    try {
      return withKeys(key, n, (macAndEnc, iv) => view(openA128CbcHs256(macAndEnc, iv, ad, sealed)));
    } catch (cause) {
      throw openFailed(cause);
    }
  },
};

function withKeys(key: Buffer, n: number, use: (macAndEnc: Buffer, iv: Buffer) => Buffer): Buffer {
  const { macAndEnc, ivKey } = expandKey(key);
  const iv = deriveIv(ivKey, n);
  try {
    return use(macAndEnc, iv);
  } finally {
    wipe(macAndEnc, ivKey, iv);
  }
}

// IV(n) = AES-128(IVK, 0^64 ‖ u64be(n)): unpredictable without the key, and never sent.
function deriveIv(ivKey: Buffer, n: number): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  block.writeUIntBE(n, 10, 6);
  return createCipheriv('aes-128-ecb', ivKey, null).setAutoPadding(false).update(block);
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
