// JWK Sets (RFC 7517 §5) with secrets, as bytes: a string of them could not be overwritten.
import { wipe } from '../cipher/secret-bytes.js';
import type { SecretKey } from '../keys/secret-key.js';
import { encodeKeyText } from './key-text.js';

export interface Jwk {
  /** All public members. */
  readonly members: object;
  /** 32 secret bytes, the member `k`. Read, never kept. */
  readonly secret: Uint8Array;
}

const utf8 = new TextEncoder();

/** Returns the text of a set, one key on each line. The caller overwrites it. */
export function formatJwkSet(keys: readonly Jwk[]): Uint8Array {
  const parts = [utf8.encode('{\n  "keys": ['), ...keys.flatMap(partsOf), utf8.encode('\n  ]\n}\n')];
  const content = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    content.set(part, at);
    at += part.length;
    wipe(part);
  }
  return content;
}

/**
 * Returns the keys of envelopes as a set for libraries of JOSE (docs/envelope.md §2), which is as secret as the key file.
 * The caller overwrites it.
 */
export function formatEnvelopeKeys(keys: readonly SecretKey[]): Uint8Array {
  const jwks = keys.map((key) => ({
    members: { kty: 'oct', kid: key.id, alg: 'A128CBC-HS256', use: 'enc' },
    secret: key.jweKey(),
  }));
  try {
    return formatJwkSet(jwks);
  } finally {
    for (const { secret } of jwks) wipe(secret);
  }
}

function partsOf({ members, secret }: Jwk, index: number): readonly Uint8Array[] {
  const start = `${index === 0 ? '' : ','}\n    ${JSON.stringify(members).slice(0, -1)},"k":"`;
  return [utf8.encode(start), encodeKeyText(secret), utf8.encode('"}')];
}
