// The ciphers of Noise itself (revision 34, §12.3 and §12.4), to run its public vectors through our handshake.
import { createCipheriv, createDecipheriv } from 'node:crypto';

import type { CipherSuite } from '@sealwire/crypto/internal';

const TAG_BYTES = 16;
const TAG = { authTagLength: TAG_BYTES };

export const AES_GCM = aead('AESGCM', 'aes-256-gcm', (nonce, n) => nonce.writeBigUInt64BE(n, 4));
export const CHACHA_POLY = aead('ChaChaPoly', 'chacha20-poly1305', (nonce, n) => nonce.writeBigUInt64LE(n, 4));

function aead(
  name: string,
  // Both take the same calls; Node's types tell them apart by their names.
  algorithm: 'aes-256-gcm' | 'chacha20-poly1305',
  writeCounter: (nonce: Buffer, n: bigint) => void,
): CipherSuite {
  const gcm = algorithm as 'aes-256-gcm';
  const nonceOf = (n: number): Buffer => {
    const nonce = Buffer.alloc(12);
    writeCounter(nonce, BigInt(n));
    return nonce;
  };
  return {
    name,
    keyBytes: 32,
    blockBytes: 1,
    paddingRoomBytes: 0,
    sealedBytes: (plaintextBytes) => plaintextBytes + TAG_BYTES,
    maxPlaintextBytes: (sealed) => sealed - TAG_BYTES,
    createSealer: (key, from) => {
      let n = from;
      return {
        sealInto: (target, offset, ad, plaintext, bytes) => {
          const cipher = createCipheriv(gcm, key, nonceOf(n++), TAG).setAAD(ad);
          const ciphertext = Buffer.concat([cipher.update(plaintext.subarray(0, bytes)), cipher.final()]);
          target.set(Buffer.concat([ciphertext, cipher.getAuthTag()]), offset);
        },
        wipe: () => undefined,
      };
    },
    createOpener: (key, from) => {
      let n = from;
      return {
        open: (ad, sealed) => {
          const decipher = createDecipheriv(gcm, key, nonceOf(n), TAG).setAAD(ad);
          decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
          const plaintext = Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()]);
          n += 1;
          return plaintext;
        },
        wipe: () => undefined,
      };
    },
    rekey: () => {
      throw new Error('The vectors have no REKEY');
    },
  };
}
