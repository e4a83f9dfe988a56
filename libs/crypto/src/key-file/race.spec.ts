// Several processes find no key file, all at the same moment. The library is compiled anew, so that no build is needed.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { keyId, loadKeyFile } from '../index.js';

const SOURCES = join(import.meta.dirname, '..');
const PROCESSES = 6;
const ROUNDS = 3;
const MODE = process.platform === 'win32' ? 0o666 : 0o600;

// Each says when it has started, and begins when it is told to: all at once, whoever was slow to start.
const CONTENDER = `
  import { once } from 'node:events';
  import { loadKeyring } from './index.js';
  process.stdout.write('ready\\n');
  await once(process.stdin, 'data');
  const { primary } = await loadKeyring(process.argv[2], { generate: true });
  process.stdout.write(primary.id);
  process.stdin.destroy();
`;

let directory: string;
let contender: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sealwire-'));
  contender = join(directory, 'contender.js');
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }');
  writeFileSync(contender, CONTENDER);
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 };
  for (const name of readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts') || name.endsWith('.spec.ts') || /module|nest/.test(name)) continue;
    const { outputText } = ts.transpileModule(readFileSync(join(SOURCES, name), 'utf8'), { compilerOptions });
    const compiled = join(directory, name.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(compiled), { recursive: true });
    writeFileSync(compiled, outputText);
  }
});

afterAll(() => {
  rmSync(directory, { recursive: true });
});

async function startContender(path: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [contender, path], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}

function outcomeOf(child: ChildProcess): Promise<string> {
  if (child.stdin === null || child.stdout === null) throw new Error('The child has no pipes');
  child.stdin.write('go');
  return text(child.stdout);
}

describe('six processes at once', () => {
  it('end with one key, mode 0600, which everyone reads', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const home = join(directory, `round-${round}`);
      mkdirSync(home);
      const path = join(home, 'aes_key.bin');
      const children = await Promise.all(Array.from({ length: PROCESSES }, () => startContender(path)));
      const ids = await Promise.all(children.map(outcomeOf));
      const id = keyId(await loadKeyFile(path));
      expect(ids).toEqual(Array.from({ length: PROCESSES }, () => id));
      expect(readdirSync(home)).toEqual(['aes_key.bin']);
      expect(statSync(path).mode & 0o777).toBe(MODE);
    }
  }, 60_000);
});
