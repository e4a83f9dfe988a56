// The two apps as they start, lose each other and end: each of them a process if that is the point, or else in this one.
// The cases run concurrently, as they mostly wait for processes.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import { createKeyFile } from '@sealwire/crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { AppProcesses } from '../../support/app-process.js';
import type { AppProcess, Env } from '../../support/app-process.js';
import { freePorts } from '../../support/free-ports.js';
import { call, open, post } from '../../support/http-call.js';
import { startServerHere } from '../../e2e/apps/server-app.js';
import { startClientHere } from '../../e2e/apps/trigger-app.js';

/** All in one directory, and so with one key file, which is made by the first server. */
const apps = new AppProcesses();
/** For the cases that let their server be as it is. */
let shared: AppProcess;
let keyFile: string;
const ends: (() => unknown)[] = [];

beforeAll(async () => {
  keyFile = join(await apps.directory(), 'aes_key.bin');
  shared = await apps.start('server');
  await shared.ready();
});

afterAll(async () => {
  await Promise.all(ends.map((end) => end()));
  await apps.end();
});

interface Pair {
  readonly server: AppProcess;
  readonly client: AppProcess;
  readonly url: string;
}

async function startPair(env: Env = {}): Promise<Pair> {
  const server = await apps.start('server', env);
  const { channel = '' } = await server.ready();
  return { server, ...(await startClient({ SEALWIRE_SERVERS: channel, ...env })) };
}

async function startClient(env: Env): Promise<{ client: AppProcess; url: string }> {
  const client = await apps.start('client', env);
  return { client, url: (await client.ready())['trigger'] ?? '' };
}

/** A client of the server that many cases share. */
async function startClientOfShared(): Promise<{ client: AppProcess; url: string }> {
  return startClient({ SEALWIRE_SERVERS: (await shared.ready())['channel'] ?? '' });
}

/** The URL of a client in this process. */
async function clientHere(env: Env): Promise<string> {
  const { app, url } = await startClientHere({ SEALWIRE_KEY_FILE: keyFile, ...env });
  ends.push(() => app.close());
  return url;
}

/** The channel of a server in this process. */
async function serverHere(env: Env): Promise<string> {
  const { app, channel } = await startServerHere({ SEALWIRE_KEY_FILE: keyFile, ...env });
  ends.push(() => app.close());
  return channel;
}

async function timed<T>(work: Promise<T>): Promise<{ readonly result: T; readonly ms: number }> {
  const start = performance.now();
  const result = await work;
  return { result, ms: performance.now() - start };
}

/** The dial waits this long; a call that waited as long as that would be far too late. */
const PATIENT = { SEALWIRE_CONNECT_TIMEOUT_MS: '60000' };
const BEFORE_THE_DIAL_GIVES_UP_MS = 15_000;

/** A proxy to the server that passes nothing on until it is opened. */
async function slowLinkTo(port: number) {
  const link = { port: 0, connections: 0, pass: (): void => undefined };
  const passing = new Promise<void>((resolve) => (link.pass = resolve));
  const listener = createServer((near) => {
    link.connections += 1;
    near.on('error', () => undefined);
    void passing.then(() => {
      const far = connect({ port, host: '127.0.0.1' });
      far.on('error', () => near.destroy()).once('close', () => near.destroy());
      near
        .once('close', () => far.destroy())
        .pipe(far)
        .pipe(near);
    });
  }).listen(0, '127.0.0.1');
  ends.push(() => listener.close());
  await once(listener, 'listening');
  link.port = (listener.address() as AddressInfo).port;
  return link;
}

const countdown = (from: number, intervalMs: number): string =>
  `countdown?data=${encodeURIComponent(JSON.stringify({ from, intervalMs }))}`;

describe.concurrent('a shutdown', () => {
  // First of all, as it takes the longest.
  it('of the client answers 503 to calls that still run when its 10 s are over', async () => {
    const { client, url } = await startClientOfShared();
    const long = { from: 10_000, intervalMs: 10 };
    const pending = [
      post(`${url}/send/countdown?timeout=60000`, long),
      post(`${url}/send/countdown?all&timeout=60000`, long),
    ];
    await post(`${url}/send/echo`); // came later, and has been answered
    client.signal('SIGTERM');
    for (const { status, json } of await Promise.all(pending)) {
      expect(status).toBe(503);
      expect(json).toMatchObject({ statusCode: 503, code: 'ERR_SHUTTING_DOWN' });
    }
    expect(await client.exit()).toBe(0);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('by %s ends both apps with exit code 0', async (signal) => {
    const { server, client, url } = await startPair();
    await post(`${url}/messages`);
    expect(await client.stop(signal)).toBe(0);
    expect(await server.stop(signal)).toBe(0);
    expect(server.stderr + client.stderr).toBe('');
  });

  it('of the client is a disconnection in the log of the server, not a loss', async () => {
    const { server, client, url } = await startPair();
    for (let sent = 0; sent < 20; sent++) await post(`${url}/messages`);
    expect(await client.stop()).toBe(0);
    const endsConnection = ({ message }: { readonly message: string }): boolean =>
      /^(?:Disconnected|Lost)/.test(message);
    const ended = await vi.waitUntil(() => server.log.find(endsConnection), { timeout: 60_000 });
    expect(ended).toMatchObject({ level: 'log', message: expect.stringMatching(/^Disconnected/) });
  });

  it('of the server answers calls in progress', async () => {
    const server = await apps.start('server');
    const url = await clientHere({ SEALWIRE_SERVERS: (await server.ready())['channel'] ?? '' });
    const response = await open(`${url}/stream/${countdown(20, 10)}`, { method: 'GET' });
    server.signal('SIGTERM');
    expect(await text(response)).toMatch(/data: 0\n\nid: \d+\nevent: complete\n/);
    expect(await server.exit()).toBe(0);
    expect(await post(`${url}/messages`)).toMatchObject({ status: 503 });
  });

  it('of the client answers calls in progress, and ends streams', async () => {
    const { client, url } = await startClientOfShared();
    const endless = await open(`${url}/stream/${countdown(1_000_000, 10)}`, { method: 'GET' });
    const pending = post(`${url}/send/countdown?all`, { from: 30, intervalMs: 10 });
    await post(`${url}/send/echo`); // came later than `pending`, and has been answered: so `pending` is under way
    client.signal('SIGTERM');
    const answer = await pending;
    expect(answer.status).toBe(200);
    expect(answer.json).toHaveLength(31);
    expect(await text(endless)).toContain('ERR_SHUTTING_DOWN');
    expect(await client.exit()).toBe(0);
  });

  it('does not wait for callers that keep their connection', async () => {
    const { client, url } = await startClientOfShared();
    const idle = await open(`${url}/health`, { method: 'GET', headers: { connection: 'keep-alive' } });
    idle.resume();
    await once(idle, 'end');
    const { result, ms } = await timed(client.stop());
    expect(result).toBe(0);
    expect(ms).toBeLessThan(9_000); // it would wait for 10 s
  });
});

describe.concurrent('without a server', () => {
  it('the trigger answers 503 immediately, and 200 as soon as the server is back', async () => {
    const sameServer = await freePorts('SEALWIRE_PORT');
    const server = await apps.start('server', sameServer);
    await server.ready();
    const url = await clientHere(sameServer);
    expect(await post(`${url}/messages`)).toMatchObject({ status: 200 });
    await server.stop('SIGKILL');
    const { result, ms } = await timed(post(`${url}/messages`));
    expect(result).toMatchObject({ status: 503, json: { statusCode: 503 } });
    expect(result.headers['retry-after']).toBe('1');
    expect(ms).toBeLessThan(BEFORE_THE_DIAL_GIVES_UP_MS);
    expect(await call(`${url}/health`, { method: 'GET' })).toMatchObject({ status: 503, json: { status: 'error' } });
    await (await apps.start('server', sameServer)).ready();
    expect(await post(`${url}/messages`)).toMatchObject({ status: 200 });
    expect(await call(`${url}/health`, { method: 'GET' })).toMatchObject({ status: 200 });
  });

  it('a call in progress when the server dies is answered 503', async () => {
    const server = await apps.start('server');
    const url = await clientHere({ SEALWIRE_SERVERS: (await server.ready())['channel'] ?? '' });
    const response = await open(`${url}/stream/${countdown(100_000, 10)}`, { method: 'GET' });
    server.signal('SIGKILL');
    expect(await text(response)).toMatch(/event: error\ndata: \{"statusCode":503,"code":"ERR_/);
  });

  it.each([
    ['refused', { SEALWIRE_PORT: '1' }],
    ['unresolvable', { SEALWIRE_HOST: 'nowhere.invalid', SEALWIRE_PORT: '8080' }],
    ['unroutable', { SEALWIRE_HOST: '192.0.2.1', SEALWIRE_PORT: '8080' }],
  ])('an address that is %s is answered 503 before the dial gives up', async (_, env) => {
    const url = await clientHere({ ...env, ...PATIENT });
    const { result, ms } = await timed(post(`${url}/messages`));
    expect(result).toMatchObject({ status: 503, json: { statusCode: 503, message: expect.any(String) } });
    expect(ms).toBeLessThan(BEFORE_THE_DIAL_GIVES_UP_MS);
  });

  it('a later call reaches a server with a slow handshake over the dial of the first call', async ({
    expect: { poll },
  }) => {
    const slow = await slowLinkTo(Number((await shared.ready())['channel']?.split(':')[1]));
    const url = await clientHere({ SEALWIRE_PORT: String(slow.port), ...PATIENT });
    for (let calls = 0; calls < 2; calls++) {
      expect(await post(`${url}/messages`)).toMatchObject({ status: 503, json: { sent: false } });
    }
    expect(slow.connections).toBe(1);
    slow.pass();
    await poll(() => post(`${url}/messages`)).toMatchObject({ status: 200 });
    expect(slow.connections).toBe(1);
  });

  it('a server with another key is answered 503, and both logs name the cause in one line', async () => {
    const { channel = '' } = await shared.ready();
    const otherKey = { SEALWIRE_KEY_FILE: join(await apps.directory(), 'other.bin') };
    await createKeyFile(otherKey.SEALWIRE_KEY_FILE);
    const { client, url } = await startClient({ SEALWIRE_SERVERS: channel, ...otherKey });
    expect(await post(`${url}/messages`)).toMatchObject({ status: 503, json: { code: 'ERR_ALERT' } });
    expect((await client.logged('Not connected yet')).message).toContain('the key or the service name differs');
    expect((await shared.logged('Refused')).message).toContain('key');
  });
});

describe.concurrent('the settings', () => {
  it('connect through a Unix socket as well', async () => {
    const path = join(await apps.directory(), 's.sock');
    expect(await serverHere({ SEALWIRE_PATH: path })).toBe(path);
    const url = await clientHere({ SEALWIRE_PATH: path });
    expect(await post(`${url}/messages`)).toMatchObject({ status: 200 });
  });

  it('connect a service only to the service with the same name', async () => {
    const channel = await serverHere({ SEALWIRE_SERVICE: 'a' });
    for (const [service, status] of [
      ['a', 200],
      ['b', 503],
    ] as const) {
      const url = await clientHere({ SEALWIRE_SERVERS: channel, SEALWIRE_SERVICE: service });
      expect(await post(`${url}/messages`), service).toMatchObject({ status });
    }
  });

  it('keep the text of messages out of both logs with LOG_MESSAGES=false', async () => {
    const { server, client, url } = await startPair({ LOG_MESSAGES: 'false' });
    await post(`${url}/messages`, { text: 'confidential' });
    await post(`${url}/emit/notice`, { text: 'confidential' });
    await call(`${url}/stream/message?data=${encodeURIComponent('"confidential"')}`, { method: 'GET' });
    await post(`${url}/send/message?what=confidential`, 5);
    expect(server.log.filter(({ message }) => message.startsWith('Decrypted: '))).toHaveLength(2);
    expect(server.describe() + client.describe()).not.toContain('confidential');
  });
});
