// `sealwire jwks`: the keys of messages for brokers, for JOSE libraries.
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { Keyring } from '@sealwire/crypto';
import { EnvelopeSealer } from '@sealwire/envelope';
import { compactDecrypt, decodeProtectedHeader } from 'jose';
import type { JWK } from 'jose';
import { describe, expect, it } from 'vitest';

import { findSecretsInOutput } from '../../support/secret-forms.js';
import { entry, newDirectory, writeRing } from './key-files.js';
import { sealwireHere } from './sealwire.js';

const keysOf = (path: string): readonly JWK[] =>
  (JSON.parse(readFileSync(path, 'utf8')) as { keys: readonly JWK[] }).keys;

describe('sealwire jwks', () => {
  it('creates a set of the usable keys that opens what each seals, mode 0600, and prints no key', async () => {
    const entries = [entry({ state: 'primary' }), entry({ label: 'b' }), entry({ state: 'revoked', label: 'c' })];
    const to = join(newDirectory(), 'envelope.jwks');
    const { status, stdout, stderr } = await sealwireHere(['jwks', writeRing(entries), to, '--json']);
    const usable = entries.slice(0, 2).map(({ key }) => key);
    expect({ status, json: JSON.parse(stdout) as unknown }).toEqual({
      status: 0,
      json: { file: to, kids: usable.map(({ id }) => id) },
    });
    expect(stderr).toMatch(
      /^sealwire: Anyone who has .* can open every broker message.*protect it like the key file\n$/,
    );
    expect(statSync(to).mode & 0o077).toBe(process.platform === 'win32' ? 0o066 : 0);
    for (const key of usable) {
      const secrets = { jwe: key.jweKey(), psk: key.psk() };
      expect(findSecretsInOutput([Buffer.from(stdout + stderr)], secrets)).toEqual([]);
      const envelope = new EnvelopeSealer({ keys: Keyring.of(key), service: 'a' }).seal('b', Buffer.from('hello'));
      const jwk = keysOf(to).find(({ kid }) => kid === decodeProtectedHeader(envelope).kid);
      expect(String(Buffer.from((await compactDecrypt(envelope, jwk ?? {})).plaintext))).toBe('hello');
    }
  });

  it('takes one key with --kid, and the key of a raw file', async () => {
    const entries = [entry({ state: 'primary' }), entry({ label: 'billing' })];
    const [ring, directory] = [writeRing(entries), newDirectory()];
    const [one, raw, all] = ['one.jwks', 'raw', 'all.jwks'].map((name) => join(directory, name)) as [
      string,
      string,
      string,
    ];
    expect(await sealwireHere(['jwks', ring, one, '--kid', 'billing'])).toMatchObject({ status: 0 });
    expect(keysOf(one).map(({ kid }) => kid)).toEqual([entries[1]?.key.id]);
    await sealwireHere(['convert', ring, raw]);
    expect(await sealwireHere(['jwks', raw, all])).toMatchObject({ status: 0 });
    expect(keysOf(all).map(({ kid }) => kid)).toEqual([entries[0]?.key.id]);
  });

  it('creates a file that no program takes for a key file', async () => {
    const to = join(newDirectory(), 'envelope.jwks');
    await sealwireHere(['jwks', writeRing([entry({ state: 'primary' })]), to]);
    expect(await sealwireHere(['fingerprint', to])).toMatchObject({ status: 1, stdout: '' });
  });

  it('refuses a key that cannot be used, and an existing file', async () => {
    const revoked = entry({ state: 'revoked' });
    const ring = writeRing([entry({ state: 'primary', label: 'first' }), revoked]);
    const refused = await sealwireHere(['jwks', ring, join(newDirectory(), 'x'), '--kid', revoked.key.id]);
    expect(refused).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('cannot be used now') });
    const exists = await sealwireHere(['jwks', ring, ring]);
    expect(exists).toMatchObject({ status: 1, stderr: expect.stringContaining('exists and is not overwritten') });
  });
});
