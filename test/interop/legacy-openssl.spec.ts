// The legacy wire against the command line of OpenSSL, in both directions, over real sockets.
import { spawnSync } from 'node:child_process';

import { lastValueFrom } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { LegacyBench, legacyPortOf } from '../support/legacy.js';

const TEXTS = ['', 'Hello Server!', 'sixteen bytes !!', 'Grüße, 你好', 'x'.repeat(100_000)];
const isMissing = spawnSync('openssl', ['version']).status !== 0;

let bench: LegacyBench;

beforeEach(() => {
  bench = new LegacyBench();
});

afterEach(() => bench.end());

/** As the original program uses a key file: the key, then the IV. */
function openssl(direction: '-e' | '-d', input: Uint8Array | string): Buffer {
  const [key, iv] = [bench.key.subarray(0, 16).toString('hex'), bench.key.subarray(16).toString('hex')];
  const { status, stdout, stderr } = spawnSync('openssl', ['enc', direction, '-aes-128-cbc', '-K', key, '-iv', iv], {
    input,
  });
  if (status !== 0) throw new Error(stderr.toString());
  return stdout;
}

describe.skipIf(isMissing)(`the legacy wire${isMissing ? ' (skipped: openssl is not installed)' : ''}`, () => {
  it('reads a message that openssl encrypted', async () => {
    const port = legacyPortOf(await bench.startServer());
    for (const text of TEXTS) await bench.send(port, openssl('-e', text));
    await expect.poll(() => bench.handled.map(({ text }) => text)).toEqual(TEXTS);
  });

  it('reads a message that openssl encrypted, wherever it is split', async () => {
    const port = legacyPortOf(await bench.startServer());
    const ciphertext = openssl('-e', 'Hello Server!, and more');
    for (let at = 1; at < ciphertext.length; at++) {
      await bench.send(port, ciphertext.subarray(0, at), ciphertext.subarray(at));
    }
    const expected = Array.from({ length: ciphertext.length - 1 }, () => 'Hello Server!, and more');
    await expect.poll(() => bench.handled.map(({ text }) => text)).toEqual(expected);
  });

  it.each(TEXTS)('sends a message that openssl decrypts: %#', async (text) => {
    const { port, received } = await bench.startSink();
    await lastValueFrom(bench.newClient(port).send('message', text), { defaultValue: undefined });
    expect(openssl('-d', await received).toString()).toBe(text);
  });
});
