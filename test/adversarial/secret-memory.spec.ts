// Where secrets lie in memory. Every secret of the libraries passes through `node:crypto`, as a key or as a result, so
// that is where this test picks them up: the arrays themselves, to see whether they are wiped, and copies, to look for.
import { createHash } from 'node:crypto';
import type * as NodeCrypto from 'node:crypto';
import type * as NodeFs from 'node:fs';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastValueFrom } from 'rxjs';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { createKeyFile, generateKey, loadKeyring, SecretKey } from '@sealwire/crypto';
import type { Keyring } from '@sealwire/crypto';
import { formatKeyringFile } from '@sealwire/crypto/internal';

import type * as Hkdf from '../../libs/crypto/src/cipher/hkdf.js';
import type * as Hmac from '../../libs/crypto/src/cipher/hmac.js';
import { endAll, newClient, portOf, startServer } from '../support/pair.js';

interface Seen {
  readonly what: string;
  readonly array: Uint8Array;
  readonly copy: Uint8Array<ArrayBuffer>;
}

const { seen, note, noteKey, isKeyFileSalt, PUBLIC, BASE_POINT } = vi.hoisted(() => {
  const all: Seen[] = [];
  const noted = <T>(what: string, secret: T): T => {
    const isSecret = secret instanceof Uint8Array && what !== 'public';
    if (isSecret) all.push({ what, array: secret, copy: Uint8Array.from(secret) });
    return secret;
  };
  return {
    seen: all,
    note: noted,
    noteKey: (key: Uint8Array): Uint8Array => noted('a key of HMAC', key),
    /** Other inputs of HKDF are public keys, or secrets that are seen elsewhere. */
    isKeyFileSalt: (salt: Uint8Array): boolean => String.fromCharCode(...salt) === 'sealwire key file v1',
    PUBLIC: 'public',
    BASE_POINT: Buffer.alloc(32).fill(9, 0, 1).toString('base64url'),
  };
});

vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof NodeFs>();
  const readSync = (file: number, target: Uint8Array, offset: number, length: number, position: number): number => {
    const bytes = fs.readSync(file, target, offset, length, position);
    note('a key that was read', target);
    return bytes;
  };
  return { ...fs, readSync };
});

vi.mock('../../libs/crypto/src/cipher/hmac.js', async (importOriginal) => {
  const hmac = await importOriginal<typeof Hmac>();
  return {
    ...hmac,
    hmacSha256: (key: Uint8Array, ...parts: readonly Uint8Array[]) => hmac.hmacSha256(noteKey(key), ...parts),
  };
});

vi.mock('../../libs/crypto/src/cipher/hkdf.js', async (importOriginal) => {
  const hkdf = await importOriginal<typeof Hkdf>();
  return {
    ...hkdf,
    hkdfExtract: (salt: Uint8Array, ikm: Uint8Array) =>
      hkdf.hkdfExtract(noteKey(salt), note(isKeyFileSalt(salt) ? 'a key of a key file' : PUBLIC, ikm)),
    hkdfExpand: (prk: Uint8Array, info: Uint8Array | string, bytes: number) =>
      hkdf.hkdfExpand(noteKey(prk), info, bytes),
  };
});

vi.mock('node:crypto', async (importOriginal) => {
  const crypto = await importOriginal<typeof NodeCrypto>();
  return {
    ...crypto,
    hash: (algorithm: string, input: Uint8Array, encoding: 'buffer' | 'binary') =>
      encoding === 'binary'
        ? crypto.hash(algorithm, input, encoding)
        : note('a digest of HMAC', crypto.hash(algorithm, note('an input of HMAC', input), encoding)),
    createCipheriv: (algorithm: string, key: Uint8Array, iv: Uint8Array | null) => {
      const cipher = crypto.createCipheriv(algorithm, note('a key of AES', key), iv);
      if (algorithm === 'aes-128-cbc') {
        note('an IV', iv);
        return cipher;
      }
      const update = cipher.update.bind(cipher);
      return Object.assign(cipher, { update: (bytes: Uint8Array) => note('a stream of IVs', update(bytes)) });
    },
    createDecipheriv: (algorithm: string, key: Uint8Array, iv: Uint8Array) =>
      crypto.createDecipheriv(algorithm, note('a key of AES', key), note('an IV', iv)),
    diffieHellman: (keys: Parameters<typeof crypto.diffieHellman>[0]) => {
      const isOwnPublicKey = keys.publicKey.export({ format: 'jwk' }).x === BASE_POINT;
      return note(isOwnPublicKey ? PUBLIC : 'a shared secret', crypto.diffieHellman(keys));
    },
    randomBytes: (size: number) => note(size === 32 ? 'the decoy' : PUBLIC, crypto.randomBytes(size)),
    randomFillSync: (array: Uint8Array) => note('a key that is made', crypto.randomFillSync(array)),
  };
});

const POOL_BYTES = 4 * 1024 * 1024;
const poolBytes = Buffer.poolSize;
/** The memory that every small Buffer of this file is cut from: large enough for all of them. */
let pool: Buffer;
let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sealwire-'));
  Buffer.poolSize = POOL_BYTES;
  while (Buffer.allocUnsafe(8).buffer.byteLength < POOL_BYTES) Buffer.allocUnsafe(1024);
  pool = Buffer.from(Buffer.allocUnsafe(8).buffer);
});

afterAll(() => {
  Buffer.poolSize = poolBytes;
  rmSync(directory, { recursive: true });
});

afterEach(endAll);

async function newFile(name: string): Promise<Keyring> {
  const path = join(directory, name);
  await createKeyFile(path);
  return loadKeyring(path);
}

/** A keyring file with two keys, which are overwritten as a caller has to do it. */
async function newRing(name: string): Promise<Keyring> {
  const path = join(directory, name);
  const entries = (['primary', 'accept'] as const).map((state) => {
    const bytes = generateKey();
    return { bytes, key: SecretKey.fromBytes(bytes, 'The key', { label: state }), state };
  });
  const content = formatKeyringFile(entries);
  writeFileSync(path, content, { mode: 0o600 });
  for (const { bytes } of entries) bytes.fill(0);
  content.fill(0);
  return loadKeyring(path);
}

/** Public values that are used as a key. */
function publicBytes(): readonly Buffer[] {
  const name = createHash('sha256').update('Noise_NNpsk0_25519_A128CBC/HS256_SHA256').digest();
  return [Buffer.from('sealwire key file v1'), name];
}

/** Every kind of handshake and of record, from the making of the key files to the end of the connections. */
async function talk(): Promise<void> {
  const keyring = await newRing('right');
  const server = await startServer({ keyring, limits: { key: { softRecords: 70 } } });
  const client = newClient(portOf(server), { keyring, limits: { key: { softRecords: 70 } } });
  const calls = [1, 100, 20_000, ...Array.from({ length: 80 }, () => 10)];
  for (const bytes of calls) await lastValueFrom(client.send('echo', Buffer.alloc(bytes, 1)));
  const strangers = [{ keyring: await newFile('wrong') }, { keyring, service: 'other' }];
  for (const stranger of strangers) {
    await expect(newClient(portOf(server), stranger).connect()).rejects.toMatchObject({ code: 'ERR_ALERT' });
  }
  await endAll();
}

const contains = (memory: Buffer, { copy }: Seen): boolean => memory.includes(Buffer.from(copy.buffer));
const kinds = (secrets: readonly Seen[]): readonly string[] => [...new Set(secrets.map(({ what }) => what))].sort();

describe('secrets in memory', () => {
  let secrets: readonly Seen[];

  beforeAll(async () => {
    const atStart = seen.splice(0).filter(({ what }) => what === 'the decoy');
    await talk();
    seen.push(...atStart);
    const known = publicBytes();
    secrets = seen.filter(
      ({ copy }) => copy.length >= 16 && copy.some((byte) => byte !== 0) && !known.some((bytes) => bytes.equals(copy)),
    );
  });

  it('are all covered by this test', () => {
    expect(kinds(secrets)).toEqual([
      'a digest of HMAC',
      'a key of AES',
      'a key of HMAC',
      'a key of a key file',
      'a key that is made',
      'a key that was read',
      'a shared secret',
      'a stream of IVs',
      'an input of HMAC',
      'the decoy',
    ]);
  });

  it('are outside the pool from which Node cuts all small Buffers', () => {
    expect(Buffer.allocUnsafe(8).buffer, 'a larger pool is needed').toBe(pool.buffer);
    expect(kinds(secrets.filter((secret) => contains(pool, secret)))).toEqual([]);
  });

  it('are overwritten after use', () => {
    const left = secrets.filter((secret) => contains(Buffer.from(secret.array.buffer), secret));
    expect(kinds(left)).toEqual(['the decoy']);
  });

  it('would be found by this search', () => {
    const [secret] = secrets;
    if (secret === undefined) throw new Error('Nothing was seen');
    Buffer.from(secret.copy);
    expect(contains(pool, secret)).toBe(true);
  });
});
