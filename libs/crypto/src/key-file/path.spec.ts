import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { createKeyFile, loadKeyFile, loadKeyring, loadLegacyKeyFile } from '../index.js';
import { isKeyText } from './path.js';

const HEX = '9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c5b4a39281706f5e4d3c2b1a0';
const BASE64 = 'T4y+9sZb0qW1eR5tY7uI8oP3aS6dF2gH/jK4lZxCvB0=';
const SPELLINGS = [
  HEX,
  HEX.toUpperCase(),
  `${HEX}\n`,
  `  ${HEX}`,
  `"${HEX}"`,
  `0x${HEX}`,
  HEX.replace(/..(?=.)/g, '$&:'),
  HEX.replace(/.{8}(?=.)/g, '$& '),
  BASE64,
  BASE64.slice(0, -1),
  `${BASE64}\r\n`,
  `'${BASE64}'`,
  `base64:${BASE64}`,
  `/${BASE64.slice(1)}`,
];
const NAMES = [
  'aes_key.bin',
  '/run/secrets/Sealwire1/the-key-file-of-orders',
  '/run/secrets/Sealwire1/key-file-of-orders12',
  'a-service-with-a-name-of-43-characters-1234',
  `/etc/${HEX}.bin`,
  HEX.slice(2),
];

it.each(SPELLINGS)('a key is recognized as text: %j', (text) => expect(isKeyText(text)).toBe(true));
it.each(NAMES)('a name is not recognized as a key: %s', (name) => expect(isKeyText(name)).toBe(false));

describe('a key in place of a path', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sealwire-'));
    vi.spyOn(process, 'cwd').mockReturnValue(directory);
  });

  afterEach(async () => {
    vi.restoreAllMocks();
    await rm(directory, { recursive: true });
  });

  it.each([
    ['loadKeyFile', loadKeyFile],
    ['loadKeyring', loadKeyring],
    ['loadKeyring, which creates a missing file,', (path: string) => loadKeyring(path, { generate: true })],
    ['loadLegacyKeyFile', loadLegacyKeyFile],
    ['createKeyFile', createKeyFile],
  ])('is refused by %s without being shown, and no file gets its name', async (_name, load) => {
    for (const key of SPELLINGS) {
      const refusal: unknown = await load(key).catch((error: unknown) => error);
      expect(refusal).toMatchObject({ code: 'ERR_KEY_FILE_NAME', fault: 'operator' });
      expect(String(refusal)).not.toContain(key.trim());
    }
    expect(readdirSync(directory)).toEqual([]);
  });
});
