// The commands that the texts of the libraries name can be entered: npm puts `sealwire` on the path of npx alone.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

const LIBRARIES = fileURLToPath(new URL('../../libs/', import.meta.url));
const COMMAND = /(npx )?sealwire (?:keygen|convert|fingerprint|jwks|keyring [a-z]+)\b/g;

const text = readdirSync(LIBRARIES)
  .flatMap((library) => {
    const names = readdirSync(join(LIBRARIES, library, 'src'), { recursive: true, encoding: 'utf8' });
    return names
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'))
      .map((name) => readFileSync(join(LIBRARIES, library, 'src', name), 'utf8'));
  })
  .join('\n');

describe('the texts of the libraries', () => {
  it('name commands of the command line with npx', () => {
    const commands = [...text.matchAll(COMMAND)];
    expect(commands.length).toBeGreaterThan(5);
    expect(commands.filter(([, npx]) => npx === undefined).map(([command]) => command)).toEqual([]);
  });
});
