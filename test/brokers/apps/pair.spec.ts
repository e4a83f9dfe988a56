// Both apps with SEALWIRE_BROKER, as processes, on a real NATS server.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';

import { generateKey, SecretKey } from '@sealwire/crypto';
import { formatKeyringFile } from '@sealwire/crypto/internal';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { call, open, post } from '../../support/http-call.js';
import { AppProcesses } from '../../support/app-process.js';
import type { AppProcess } from '../../support/app-process.js';
import { Engine, isMissing, skipNote } from '../engines/engine.js';
import { NATS } from '../engines/nats.js';

const READY_MS = 60_000;

describe.skipIf(isMissing(NATS))(`the two apps on a NATS server${skipNote(NATS)}`, () => {
  const apps = new AppProcesses();
  let engine: Engine;
  let servers: AppProcess[];
  let url: string;
  let env: { readonly SEALWIRE_BROKER: string };

  beforeAll(async () => {
    engine = await Engine.start(NATS);
    env = { SEALWIRE_BROKER: engine.url };
    const first = await apps.start('server', env); // makes the key
    await first.ready();
    servers = [first, await apps.start('server', env)];
    await servers[1]?.ready();
    const client = await apps.start('client', { ...env, WIRE_TAP: 'true' });
    url = (await client.ready())['trigger'] ?? '';
  });

  afterAll(async () => {
    await apps.end();
    await engine.stop();
  });

  /** The connections that the console page shows. */
  async function connectionsShown(): Promise<unknown> {
    const tap = await open(`${url}/console/wire`, { method: 'GET' });
    try {
      for await (const line of createInterface({ input: tap })) {
        const { kind, connections } = JSON.parse(line) as { kind: string; connections?: unknown };
        if (kind === 'state') return connections;
      }
    } finally {
      tap.destroy();
    }
    return undefined;
  }

  it('carry a message: a receipt to the caller, the envelope and the text to the log of the server', async () => {
    const sent = `Grüße ${Math.random()}`;
    expect(await post(`${url}/messages`, { text: sent })).toMatchObject({ status: 200, json: { text: sent } });
    const log = servers.flatMap((server) => server.log).map(({ message }) => message);
    expect(log).toContain(`Decrypted: ${sent}`);
    // An envelope begins with the JSON of its header.
    expect(log).toContainEqual(expect.stringMatching(/^Received, encrypted \(\d+ bytes\): 65794a/));
  });

  it('share the messages of one client among the servers', async () => {
    await vi.waitFor(
      async () => {
        await post(`${url}/messages`, { text: 'for any of you' });
        const shares = servers.map(({ log }) => log.filter(({ message }) => message.includes('for any of you')).length);
        expect(Math.min(...shares)).toBeGreaterThan(0);
      },
      { timeout: READY_MS, interval: 0 },
    );
  });

  it('carry an event to one of the servers', async () => {
    expect(await post(`${url}/emit/notice`, { text: 'Look out' })).toMatchObject({ status: 202 });
    await Promise.any(servers.map((server) => server.logged('Notice: Look out')));
  });

  it('count the messages that went through the broker in the metrics of the client app', async () => {
    const counted = /^sealwire_calls_total\{side="client",kind="request",pattern="message",outcome="ok"\} (\d+)$/m;
    const count = async (): Promise<number> => {
      const metrics = await text(await open(`${url}/metrics`, { method: 'GET' }));
      return Number(counted.exec(metrics)?.[1] ?? 0);
    };
    const before = await count();
    await post(`${url}/messages`, { text: 'counted' });
    expect(await count()).toBe(before + 1);
  });

  it('show the envelopes of a request and of its answer on the wire tap of the client app', async () => {
    const tap = await open(`${url}/console/wire`, { method: 'GET' });
    await post(`${url}/messages`, { text: 'watched' });
    const missing = new Set(['sent', 'received']);
    for await (const line of createInterface({ input: tap })) {
      const { type, direction, sealed } = JSON.parse(line) as { type?: string; direction?: string; sealed?: string };
      if (type !== 'ENVELOPE' || direction === undefined) continue;
      expect(sealed).toMatch(/^eyJ/); // the base64url of a JSON header
      missing.delete(direction);
      if (missing.size === 0) break;
    }
    tap.destroy();
    expect(missing).toEqual(new Set());
  });

  it('carry a stream of values, then complete it', async () => {
    const countdown = `${url}/stream/countdown?data=${encodeURIComponent('{"from":2,"intervalMs":1}')}`;
    expect(await text(await open(countdown, { method: 'GET' }))).toBe(
      'id: 1\ndata: 2\n\nid: 2\ndata: 1\n\nid: 3\ndata: 0\n\nid: 4\nevent: complete\ndata: {}\n\n',
    );
  });

  it('refuse a message that is too large for the broker', async () => {
    const answer = await post(`${url}/messages`, { text: 'x'.repeat(1_000_000) });
    expect(answer).toMatchObject({ status: 413, json: { code: 'ERR_MESSAGE_TOO_LARGE', sent: false } });
  });

  it('report a pattern without a handler, and a handler that fails', async () => {
    expect(await post(`${url}/send/nothing.there`, {})).toMatchObject({
      status: 404,
      json: { code: 'ERR_NO_HANDLER', sent: false },
    });
    expect(await post(`${url}/messages`, { text: 1 })).toMatchObject({ status: 400 });
  });

  it.each([
    ['$JS.API.STREAM.NAMES', 'a service of the broker'],
    ['a%20b', 'a space'],
    ['a%0D%0APUB%20b%200', 'another command'],
    ['x'.repeat(1_000), '1,000 characters'],
  ])('refuse the pattern %s: %s', async (pattern) => {
    for (const path of ['send', 'emit']) {
      expect(await post(`${url}/${path}/${pattern}`, {})).toMatchObject({
        status: 400,
        json: { code: 'ERR_BAD_PATTERN', sent: false },
      });
    }
  });

  it('show the time to the broker and back, which is not zero', async () => {
    const { json } = await call(`${url}/health`, { method: 'GET' });
    const up = json as { info: { channel: { roundTripMs: number } } };
    expect(up.info.channel.roundTripMs).toBeGreaterThan(0);
    const above0 = expect.toSatisfy((ms: unknown) => Number(ms) > 0) as unknown;
    expect(await connectionsShown()).toEqual([expect.objectContaining({ roundTripMs: above0 })]);
  });

  it('are unhealthy without a key to seal with or to open, although the broker is there', async () => {
    const keyFile = join(await apps.directory(), 'ring.json');
    const bytes = generateKey();
    const key = { bytes, key: SecretKey.fromBytes(bytes, 'The key', { label: 'both' }) };
    const health = async (at: string | undefined) => call(at ?? '', { method: 'GET' });
    writeFileSync(keyFile, formatKeyringFile([{ ...key, state: 'primary' }]), { mode: 0o600 });
    const server = await apps.start('server', { ...env, SEALWIRE_KEY_FILE: keyFile });
    const client = await apps.start('client', { ...env, SEALWIRE_KEY_FILE: keyFile });
    const [ofServer, ofClient] = [(await server.ready())['health'], `${(await client.ready())['trigger']}/health`];
    for (const at of [ofServer, ofClient]) expect(await health(at)).toMatchObject({ status: 200 });

    writeFileSync(keyFile, formatKeyringFile([{ ...key, state: 'retired' }]));
    for (const app of [server, client]) app.signal('SIGHUP');
    await client.logged(`No key of the key file ${keyFile} may be used now`);
    await server.logged(`No key of the key file ${keyFile} may be used now`);
    expect(await health(ofServer)).toMatchObject({ status: 503 });
    const code = 'ERR_KEYRING_NO_PRIMARY';
    expect(await health(ofClient)).toMatchObject({ status: 503, json: { error: { channel: { code } } } });
    await client.logged(code);
    for (const app of [server, client]) expect(await app.stop('SIGTERM')).toBe(0);
  });

  it('are unhealthy while the broker is stopped, and healthy again when it continues', async () => {
    const health = async (): Promise<unknown> => (await call(`${url}/health`, { method: 'GET' })).status;
    engine.pause();
    expect(await health()).toBe(503);
    engine.resume();
    await vi.waitFor(async () => expect(await health()).toBe(200), READY_MS);
  });

  it('are healthy with the broker, unhealthy without it, and continue after it comes back', async () => {
    const health = async (): Promise<unknown> => (await call(`${url}/health`, { method: 'GET' })).status;
    expect(await health()).toBe(200);
    await engine.kill();
    await vi.waitFor(async () => expect(await health()).toBe(503), READY_MS);
    await vi.waitFor(async () => expect(await connectionsShown()).toEqual([]), READY_MS);
    expect(await post(`${url}/messages`, { text: 'no broker' })).toMatchObject({
      status: 503,
      json: { code: 'ERR_BROKER', sent: false },
    });
    await engine.restart();
    await vi.waitFor(
      async () => expect(await post(`${url}/messages`, { text: 'again' })).toMatchObject({ status: 200 }),
      { timeout: READY_MS, interval: 100 },
    );
    expect(await connectionsShown()).toEqual([expect.objectContaining({ state: 'open', reconnects: 1 })]);
  });

  it('do not start if the broker does not answer, and say so', async () => {
    const lonely = await apps.start('server', { SEALWIRE_BROKER: 'nats://127.0.0.1:1' });
    expect(await lonely.exit()).toBe(1);
    expect(lonely.describe()).toContain('SEALWIRE_BROKER: nats://127.0.0.1:1 does not accept a connection');
  });
});
