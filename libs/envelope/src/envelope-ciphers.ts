import type { SecretKey } from '@sealwire/crypto';
import { OpeningKey, SealingKey } from '@sealwire/crypto/internal';

/** The ciphers of one key. */
export interface EnvelopeCiphers {
  readonly sealing: SealingKey;
  readonly opening: OpeningKey;
}

const ciphersOfKeys = new WeakMap<SecretKey, EnvelopeCiphers>();

/** Returns the same ciphers for the same object, because making them costs several times what a message costs. */
export function ciphersOf(key: SecretKey): EnvelopeCiphers {
  const known = ciphersOfKeys.get(key);
  if (known !== undefined) return known;
  const secret = key.jweKey();
  const ciphers = { sealing: new SealingKey(secret), opening: new OpeningKey(secret) };
  secret.fill(0);
  ciphersOfKeys.set(key, ciphers);
  return ciphers;
}
