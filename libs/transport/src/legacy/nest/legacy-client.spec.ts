import { createDecipheriv } from 'node:crypto';

import { Keyring, SecretKey } from '@sealwire/crypto';
import { lastValueFrom, toArray } from 'rxjs';
import type { Observable } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { LegacyBench, legacyPortOf } from '../../../../../test/support/legacy.js';
import { LiveKeys, newKey } from '../../../../../test/support/live-keys.js';

let bench: LegacyBench;

beforeEach(() => {
  bench = new LegacyBench();
});

afterEach(() => bench.end());

const values = (sending: Observable<unknown>): Promise<unknown[]> => lastValueFrom(sending.pipe(toArray()));

function decrypt(ciphertext: Buffer): string {
  const decipher = createDecipheriv('aes-128-cbc', bench.key.subarray(0, 16), bench.key.subarray(16));
  return Buffer.concat([decipher.update(ciphertext), decipher.final()]).toString();
}

describe('LegacyClient', () => {
  it.each(['send', 'emit'] as const)('sends one message and FIN, and completes without a value: %s', async (way) => {
    const { port, received } = await bench.startSink();
    expect(await values(bench.newClient(port)[way]('any', 'Hello Server!'))).toEqual(way === 'send' ? [] : [undefined]);
    expect(decrypt(await received)).toBe('Hello Server!');
  });

  it('sends bytes as they are, and the text of { text }', async () => {
    for (const content of [Buffer.from('Hello'), { text: 'Hello' }]) {
      const { port, received } = await bench.startSink();
      await values(bench.newClient(port).send('any', content));
      expect(decrypt(await received)).toBe('Hello');
    }
  });

  it('opens a connection for each message', async () => {
    const client = bench.newClient(legacyPortOf(await bench.startServer()));
    await Promise.all(['a', 'b', 'c'].map((each) => values(client.send('any', each))));
    await expect.poll(() => bench.handled.map(({ text }) => text).sort()).toEqual(['a', 'b', 'c']);
    expect(new Set(bench.handled.map(({ context }) => context.getRemoteAddress())).size).toBe(3);
  });

  it('fails unsent if no server listens', async () => {
    await expect(values(bench.newClient(1).send('any', 'x'))).rejects.toMatchObject({
      code: 'ERR_CONNECT_FAILED',
      sent: false,
    });
  });

  it('fails if the data is neither text nor bytes', async () => {
    await expect(values(bench.newClient(1).send('any', [1]))).rejects.toMatchObject({
      code: 'ERR_MESSAGE_UNSERIALIZABLE',
    });
  });

  it('refuses more concurrent messages than its limit', async () => {
    const client = bench.newClient(1, { maxConnections: 1 });
    await client.connect();
    const outcomes = await Promise.allSettled([values(client.send('any', 'a')), values(client.send('any', 'b'))]);
    expect(outcomes).toMatchObject([
      { reason: { code: 'ERR_CONNECT_FAILED' } },
      { reason: { code: 'ERR_QUEUE_FULL', sent: false } },
    ]);
  });

  it('refuses a key of the channel, and otherwise warns about the wire', async () => {
    const channelKeyring = Keyring.of(SecretKey.fromBytes(bench.key));
    await expect(bench.newClient(1, { channelKeyring }).connect()).rejects.toMatchObject({
      code: 'ERR_LEGACY_KEY_SHARED',
    });
    await bench.newClient(1).connect();
    expect(await bench.log.logged('not authenticated')).toContain('127.0.0.1:1');
  });

  it('sends nothing more once its key is added to the keyring of the channel', async () => {
    const channelKeyring = new LiveKeys(newKey());
    const client = bench.newClient(legacyPortOf(await bench.startServer()), { channelKeyring });
    await values(client.send('any', 'before'));
    channelKeyring.add(SecretKey.fromBytes(bench.key));
    for (const way of ['send', 'emit'] as const)
      await expect(values(client[way]('any', 'x'))).rejects.toMatchObject({
        code: 'ERR_LEGACY_KEY_SHARED',
        sent: false,
      });
  });

  it('has no connection to unwrap', () => {
    expect(() => bench.newClient(1).unwrap()).toThrow(expect.objectContaining({ code: 'ERR_NOT_CONNECTED' }));
  });
});
