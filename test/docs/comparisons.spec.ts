// The linter enforces that one function compares secrets. This test gives it files that break the rule, in copies of our folders.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');
const EQUAL_BYTES = 'libs/crypto/src/cipher/secret-bytes.ts';
const FOLDERS = [
  'libs/crypto/src',
  'libs/crypto/src/cipher',
  'libs/channel/src',
  'libs/channel/src/handshake',
  'libs/channel/src/record',
  'libs/channel/src/sending',
  'libs/channel/src/streams',
  'libs/channel/src/connection',
  'libs/channel/src/client',
  'libs/channel/src/server',
  'libs/envelope/src',
  'libs/envelope/src/stores',
  'libs/transport/src/packet',
  'libs/transport/src/server',
  'libs/transport/src/legacy/wire',
  'apps/shared/src',
  'apps/server/src',
  'apps/client/src',
];
const CIPHER = "import { createCipheriv } from 'node:crypto';\nexport const cipher = createCipheriv;\n";
const COMPARISONS = {
  'import.ts': "import { timingSafeEqual } from 'node:crypto';\nexport const isEqual = timingSafeEqual;\n",
  'namespace.ts': "import * as crypto from 'node:crypto';\nexport const isEqual = crypto.timingSafeEqual;\n",
  'equals.ts': 'export const isEqual = (tag: Buffer, other: Buffer): boolean => tag.equals(other);\n',
  'compare.ts': 'export const isEqual = (tag: Buffer, other: Buffer): boolean => tag.compare(other) === 0;\n',
  'static.ts': 'export const isEqual = (tag: Buffer, other: Buffer): boolean => Buffer.compare(tag, other) === 0;\n',
};

let copy: string;
let refused: readonly string[];

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'sealwire-'));
  copyFileSync(join(ROOT, '.oxlintrc.json'), join(copy, '.oxlintrc.json'));
  for (const folder of FOLDERS) {
    mkdirSync(join(copy, folder), { recursive: true });
    for (const [name, text] of Object.entries(COMPARISONS)) writeFileSync(join(copy, folder, name), text);
    writeFileSync(join(copy, folder, 'cipher.ts'), CIPHER);
  }
  copyFileSync(join(ROOT, EQUAL_BYTES), join(copy, EQUAL_BYTES));
  refused = refusedFiles();
});

afterAll(() => {
  rmSync(copy, { recursive: true });
});

/** The files in which the linter finds a restricted comparison or import. */
function refusedFiles(): readonly string[] {
  const oxlint = join(ROOT, 'node_modules', '.bin', 'oxlint');
  try {
    execFileSync(oxlint, ['--format', 'unix', '--config', '.oxlintrc.json'], {
      cwd: copy,
      stdio: 'pipe',
      encoding: 'utf8',
    });
    return [];
  } catch (error) {
    const { stdout } = error as { stdout: string };
    const lines = stdout.split('\n').filter((line) => line.includes('restricted'));
    return [...new Set(lines.map((line) => line.split(':')[0] ?? ''))];
  }
}

describe('the linter', () => {
  it('refuses every comparison of bytes except equalBytes, in every folder of the libraries and apps', () => {
    const expected = FOLDERS.flatMap((folder) => Object.keys(COMPARISONS).map((name) => join(folder, name)));
    expect(new Set(refused.filter((file) => !file.endsWith('cipher.ts')))).toEqual(new Set(expected));
  });

  it('refuses node:crypto in every folder of @sealwire/channel, @sealwire/envelope and @sealwire/transport', () => {
    const expected = FOLDERS.filter((folder) => /^libs\/(?:channel|envelope|transport)\//.test(folder));
    expect(new Set(refused.filter((file) => file.endsWith('cipher.ts')))).toEqual(
      new Set(expected.map((folder) => join(folder, 'cipher.ts'))),
    );
  });
});
