// The cipher function of docs/protocol.md §3: a key of 32 bytes and a counter in, sealed bytes out.
import { createCipheriv } from 'node:crypto';
import type { Cipher } from 'node:crypto';

import { hkdfExpand, openA128CbcHs256, sealA128CbcHs256 } from '@sealwire/crypto';

import { TransportError } from '../errors.js';

export const KEY_BYTES = 32;
export const TAG_BYTES = 16;
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
  /** AES-128 under IVK, kept for the life of the key; used for nothing but {@link deriveIv}. */
  readonly ivBlocks: Cipher;
}

export function expandKey(key: Buffer): ExpandedKey {
  const keys = view(hkdfExpand(key, 'keys', 48));
  const ivBlocks = createCipheriv('aes-128-ecb', keys.subarray(32, 48), null).setAutoPadding(false);
  return { macAndEnc: keys.subarray(0, 32), ivBlocks };
}

/** REKEY(k). */
export function rekey(key: Buffer): Buffer {
  return view(hkdfExpand(key, 'rekey', KEY_BYTES));
}

/** IV(n) = AES-128(IVK, 0^64 ‖ u64be(n)): unpredictable without the key, and never sent. */
export function deriveIv(key: ExpandedKey, n: number): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  block.writeUIntBE(n, 10, 6);
  return key.ivBlocks.update(block);
}

export function sealExpanded(key: ExpandedKey, iv: Buffer, ad: Buffer, plaintext: Buffer): Buffer {
  return view(sealA128CbcHs256(key.macAndEnc, iv, ad, plaintext));
}

/** @throws {TransportError} `ERR_OPEN_FAILED`, whatever was wrong. */
export function openExpanded(key: ExpandedKey, iv: Buffer, ad: Buffer, sealed: Buffer): Buffer {
  try {
    return view(openA128CbcHs256(key.macAndEnc, iv, ad, sealed));
  } catch (cause) {
    throw new TransportError('ERR_OPEN_FAILED', 'Sealed bytes that do not open', { cause });
  }
}

export const A128CBC_HS256: CipherFunction = {
  name: 'A128CBC/HS256',
  seal(key, n, ad, plaintext) {
    const expanded = expandKey(key);
    return sealExpanded(expanded, deriveIv(expanded, n), ad, plaintext);
  },
  open(key, n, ad, sealed) {
    const expanded = expandKey(key);
    return openExpanded(expanded, deriveIv(expanded, n), ad, sealed);
  },
};

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
