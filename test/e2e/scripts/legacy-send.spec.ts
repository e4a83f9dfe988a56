// `npm run legacy:send`, as a user meets it: exit code, one line, no stack.
import { spawn } from 'node:child_process';
import { createDecipheriv } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { LegacyBench } from '../../support/legacy.js';

const SCRIPT = join(import.meta.dirname, '../../../scripts/legacy-send.mjs');

interface Run {
  readonly status: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

let bench: LegacyBench;

beforeEach(() => {
  bench = new LegacyBench();
});

afterEach(() => bench.end());

async function legacySend(...args: readonly string[]): Promise<Run> {
  const child = spawn(process.execPath, [SCRIPT, ...args], {
    cwd: bench.directory,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { status: (await exited)[0], stdout, stderr };
}

const oneLine = (pattern: RegExp): Run => ({
  status: 1,
  stdout: '',
  stderr: expect.stringMatching(new RegExp(`^.*${pattern.source}.*\n$`)),
});

describe('npm run legacy:send', () => {
  it('sends the text, says so, and warns of the wire', async () => {
    const { port, received } = await bench.startSink();
    const run = await legacySend(`127.0.0.1:${port}`, 'legacy_key.bin', 'Hello Server!');
    expect(run).toEqual({
      status: 0,
      stdout: `Sent 13 bytes of text to 127.0.0.1:${port}. The legacy wire has no answer.\n`,
      stderr: expect.stringMatching(/^The legacy wire .* is not authenticated.*\n$/),
    });
    const decipher = createDecipheriv('aes-128-cbc', bench.key.subarray(0, 16), bench.key.subarray(16));
    expect(Buffer.concat([decipher.update(await received), decipher.final()]).toString()).toBe('Hello Server!');
  });

  it('says in its last line that nobody listens', async () => {
    const { status, stdout, stderr } = await legacySend('127.0.0.1:1', 'legacy_key.bin', 'x');
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr.trim().split('\n').at(-1)).toMatch(/^Cannot connect to 127\.0\.0\.1:1: .*ECONNREFUSED/);
    expect(stderr.trim().split('\n')).toHaveLength(2);
  });

  it('refuses a key file of the wrong length in one line, without showing it', async () => {
    bench.writeKey('short.bin', Buffer.from('correct horse battery'));
    const run = await legacySend('127.0.0.1:1', 'short.bin', 'x');
    expect(run).toEqual(oneLine(/21 bytes, not 32/));
    expect(run.stderr).not.toContain('horse');
  });

  it('refuses a key file that is missing in one line', async () => {
    expect(await legacySend('127.0.0.1:1', 'missing.bin', 'x')).toEqual(oneLine(/No key file at /));
  });

  it.each(['127.0.0.1', 'localhost:0', 'localhost:65536', '::1:80', 'http://localhost:80', ':80'])(
    'refuses %s for a target in one line',
    async (target) => {
      expect(await legacySend(target, 'legacy_key.bin', 'x')).toEqual(oneLine(/no HOST:PORT/));
    },
  );

  it.each([[[]], [['127.0.0.1:1']], [['127.0.0.1:1', 'k']], [['127.0.0.1:1', 'k', 'one', 'two']]])(
    'answers %j with its usage',
    async (args) => {
      expect(await legacySend(...args)).toEqual({
        status: 1,
        stdout: '',
        stderr: expect.stringMatching(/^Usage: npm run legacy:send -- HOST:PORT KEYFILE TEXT /),
      });
    },
  );

  it('prints its usage when asked', async () => {
    expect(await legacySend('--help')).toEqual({ status: 0, stdout: expect.stringMatching(/^Usage: /), stderr: '' });
  });
});
