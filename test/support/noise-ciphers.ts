// The ciphers of Noise itself (revision 34, §12.3 and §12.4), to run its public vectors through our handshake.
import { createCipheriv, createDecipheriv } from 'node:crypto';

import { TransportError } from '../../libs/transport/src/errors.js';
import type { CipherFunction } from '../../libs/transport/src/record/cipher-function.js';

const TAG = { authTagLength: 16 };

export const AES_GCM = aead('AESGCM', 'aes-256-gcm', (nonce, n) => nonce.writeBigUInt64BE(n, 4));
export const CHACHA_POLY = aead('ChaChaPoly', 'chacha20-poly1305', (nonce, n) => nonce.writeBigUInt64LE(n, 4));

function aead(
  name: string,
  // Both take the same calls; Node's types tell them apart by their names.
  algorithm: 'aes-256-gcm' | 'chacha20-poly1305',
  writeCounter: (nonce: Buffer, n: bigint) => void,
): CipherFunction {
  const gcm = algorithm as 'aes-256-gcm';
  const nonceOf = (n: number): Buffer => {
    const nonce = Buffer.alloc(12);
    writeCounter(nonce, BigInt(n));
    return nonce;
  };
  return {
    name,
    seal: (key, n, ad, plaintext) => {
      const cipher = createCipheriv(gcm, key, nonceOf(n), TAG).setAAD(ad);
      return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
    },
    open: (key, n, ad, sealed) => {
      try {
        const decipher = createDecipheriv(gcm, key, nonceOf(n), TAG).setAAD(ad).setAuthTag(sealed.subarray(-16));
        return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
      } catch (cause) {
        throw new TransportError('ERR_OPEN_FAILED', 'Sealed bytes that do not open', { cause });
      }
    },
  };
}
