// Several processes find no key file, all at the same moment. The library is compiled anew, so that no build is needed.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { keyId, loadKeyFile } from '../index.js';

const SOURCES = join(import.meta.dirname, '..');
const PROCESSES = 6;
const ROUNDS = 10;
const MODE = process.platform === 'win32' ? 0o666 : 0o600;

// Each process prints a line when it has started, and opens the key file when it receives the path, so that all processes
// open it at the same time, even if one starts slowly.
const CONTENDER = `
  import { loadKeyring } from './index.js';
  process.on('message', async (path) => {
    const { primary } = await loadKeyring(path, { generate: true });
    process.send(primary.id);
  });
  process.send('ready');
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

async function startContender(): Promise<ChildProcess> {
  const child = spawn(process.execPath, [contender], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  onTestFinished(() => void child.kill());
  await once(child, 'message');
  return child;
}

async function keyIdOf(child: ChildProcess, path: string): Promise<unknown> {
  const answer = once(child, 'message');
  child.send(path);
  const [id] = await answer;
  return id;
}

describe('six concurrent processes', () => {
  it('end with one key, mode 0600, which every process reads', async () => {
    const children = await Promise.all(Array.from({ length: PROCESSES }, startContender));
    for (let round = 0; round < ROUNDS; round++) {
      const home = join(directory, `round-${round}`);
      mkdirSync(home);
      const path = join(home, 'aes_key.bin');
      const ids = await Promise.all(children.map((child) => keyIdOf(child, path)));
      const id = keyId(await loadKeyFile(path));
      expect(ids).toEqual(Array.from({ length: PROCESSES }, () => id));
      expect(readdirSync(home)).toEqual(['aes_key.bin']);
      expect(statSync(path).mode & 0o777).toBe(MODE);
    }
  }, 60_000);
});
