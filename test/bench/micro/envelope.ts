import { randomBytes } from 'node:crypto';

import { generateKey, Keyring, SecretKey } from '@sealwire/crypto';
import { EnvelopeOpener, EnvelopeSealer } from '@sealwire/envelope';
import { compactDecrypt, CompactEncrypt } from 'jose';

import type { MicroCase } from './case.js';

const SIZES_BYTES = [300, 16_000];
const SUBJECT = 'nats:orders.created';

/** One envelope sealed and opened, in comparison with npm `jose`, which does both asynchronously. */
export function envelopeCases(): readonly MicroCase[] {
  const key = SecretKey.fromBytes(generateKey());
  const options = { keys: Keyring.of(key), service: 'orders' };
  const [sealer, opener] = [new EnvelopeSealer(options), new EnvelopeOpener(options)];
  const cek = key.jweKey();
  const header = { alg: 'dir', enc: 'A128CBC-HS256', kid: key.id, typ: 'sealwire+jwe', aud: 'orders', sub: SUBJECT };
  return SIZES_BYTES.map((bytes) => {
    const plaintext = randomBytes(bytes);
    const ours = (): void => {
      if (!opener.open(SUBJECT, sealer.seal(SUBJECT, plaintext)).ok) throw new Error('An envelope does not open');
    };
    const jose = async (): Promise<void> => {
      const sealed = await new CompactEncrypt(plaintext).setProtectedHeader(header).encrypt(cek);
      await compactDecrypt(sealed, cek);
    };
    return {
      name: `envelope ${bytes}B`,
      callsPerSample: 1,
      ways: [
        { name: 'envelope', run: ours },
        { name: 'jose', run: jose, isAsync: true },
      ],
    };
  });
}
