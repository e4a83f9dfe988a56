// `npm run legacy:send`, as a user meets it: exit code, one line, no stack.
import { createDecipheriv } from 'node:crypto';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { LegacyBench } from '../../support/legacy.js';
import { ScriptHere } from './script-here.js';
import { type Ended, ROOT, ScriptRun } from './script-run.js';

const script = await ScriptHere.load('legacy-send');

let bench: LegacyBench;

beforeEach(() => {
  bench = new LegacyBench();
});

afterEach(() => bench.end());

function legacySend(...args: readonly string[]): Promise<Ended> {
  return script.run(args, bench.directory);
}

/** The same in a process of its own. */
function legacySendProcess(...args: readonly string[]): Promise<Ended> {
  return new ScriptRun([join(ROOT, 'scripts/run.mjs'), 'legacy-send', ...args], {}, bench.directory).end();
}

const oneLine = (pattern: RegExp) => ({
  status: 1,
  stdout: '',
  stderr: expect.stringMatching(new RegExp(`^.*${pattern.source}.*\n$`)),
});

describe('npm run legacy:send', () => {
  it('sends the text, confirms it, and warns about the wire', async () => {
    const { port, received } = await bench.startSink();
    const run = await legacySendProcess(`127.0.0.1:${port}`, 'legacy_key.bin', 'Hello Server!');
    expect(run).toEqual({
      status: 0,
      stdout: `Sent 13 bytes of text to 127.0.0.1:${port}. The legacy wire has no answer.\n`,
      stderr: expect.stringMatching(/^The legacy wire .* is not authenticated.*\n$/),
    });
    const decipher = createDecipheriv('aes-128-cbc', bench.key.subarray(0, 16), bench.key.subarray(16));
    expect(Buffer.concat([decipher.update(await received), decipher.final()]).toString()).toBe('Hello Server!');
  });

  it('reports in its last line that no server listens', async () => {
    const { status, stdout, stderr } = await legacySendProcess('127.0.0.1:1', 'legacy_key.bin', 'x');
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr.trim().split('\n').at(-1)).toMatch(/^Cannot connect to 127\.0\.0\.1:1: .*ECONNREFUSED/);
    expect(stderr.trim().split('\n')).toHaveLength(2);
  });

  it('refuses a key file of the wrong length in one line, without showing it', async () => {
    bench.writeKey('short.bin', Buffer.from('correct horse battery'));
    const run = await legacySend('127.0.0.1:1', 'short.bin', 'x');
    expect(run).toEqual(oneLine(/21 bytes; expected 32/));
    expect(run.stderr).not.toContain('horse');
  });

  it('refuses a key file that is missing in one line', async () => {
    expect(await legacySend('127.0.0.1:1', 'missing.bin', 'x')).toEqual(oneLine(/No key file at /));
  });

  it.each(['127.0.0.1', 'localhost:0', 'localhost:65536', '::1:80', 'http://localhost:80', ':80'])(
    'refuses %s for a target in one line',
    async (target) => {
      expect(await legacySend(target, 'legacy_key.bin', 'x')).toEqual(oneLine(/is not HOST:PORT/));
    },
  );

  it.each([
    [[], /HOST:PORT is missing/],
    [['127.0.0.1:1'], /KEYFILE is missing/],
    [['127.0.0.1:1', 'k'], /TEXT is missing/],
    [['127.0.0.1:1', 'k', 'one', 'two'], /4 arguments; expected 3/],
  ])('refuses %j in one line', async (args, reason) => {
    expect(await legacySend(...args)).toEqual(oneLine(new RegExp(`${reason.source}: see .*legacy:send -- --help`)));
  });

  it('sends a text that begins with a dash if it comes after --', async () => {
    expect(await legacySend('127.0.0.1', 'legacy_key.bin', '--', '-x')).toEqual(oneLine(/is not HOST:PORT/));
  });
});
