import { stat } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { AppProcesses } from '../../support/app-process.js';
import type { AppProcess } from '../../support/app-process.js';
import { call, open, post } from '../../support/http-call.js';

const OCTETS = { 'content-type': 'application/octet-stream' };
const MAX_MESSAGE_BYTES = 8 * 1_024 * 1_024;

const apps = new AppProcesses();
let server: AppProcess;
let url: string;
let addresses: Readonly<Record<string, string>>;

beforeAll(async () => {
  server = await apps.start('server');
  addresses = await server.ready();
  const client = await apps.start('client', { SEALWIRE_SERVERS: addresses['channel'] ?? '' });
  url = (await client.ready())['trigger'] ?? '';
});

afterAll(() => apps.end());

function stream(path: string, signal?: AbortSignal): Promise<IncomingMessage> {
  return open(`${url}/stream/${path}`, { method: 'GET', ...(signal && { signal }) });
}

const countdown = (from: number, intervalMs: number): string =>
  `countdown?data=${encodeURIComponent(JSON.stringify({ from, intervalMs }))}`;

describe('the two apps', () => {
  it('create a missing key for its owner alone, and say so', async () => {
    const key = await stat(join(await apps.directory(), 'aes_key.bin'));
    expect(key.size).toBe(32);
    expect(key.mode & 0o777).toBe(0o600);
    expect((await server.logged('has been created')).message).toContain(`key id ${addresses['keyId']}`);
  });

  it('carry a message: a receipt to the caller, hex and text to the log of the server', async () => {
    const sent = `Grüße ${Math.random()}`;
    const answer = await post(`${url}/messages`, { text: sent });
    expect(answer).toMatchObject({
      status: 200,
      json: {
        text: sent,
        bytes: Buffer.byteLength(sent),
        receivedAt: expect.stringMatching(/^\d{4}-/),
        keyId: addresses['keyId'],
        server: hostname(),
      },
    });
    const decrypted = await server.logged(`Decrypted: ${sent}`);
    const sealed = server.log[server.log.indexOf(decrypted) - 1]?.message ?? '';
    expect(sealed).toMatch(/^Received, encrypted \(\d+ bytes\): [0-9a-f]{128}…$/);
    expect(sealed).not.toContain(Buffer.from(sent).toString('hex'));
  });

  it('show their metrics, which count the loading of the keys and contain no text of a message', async () => {
    const sent = `counted ${Math.random()}`;
    expect(await post(`${url}/messages`, { text: sent })).toMatchObject({ status: 200 });
    const urls = [`${url}/metrics`, new URL('/metrics', addresses['health']).href];
    for (const [index, metrics] of urls.entries()) {
      const side = index === 0 ? 'client' : 'server';
      const answer = await call(metrics, { method: 'GET' });
      expect(answer.status).toBe(200);
      expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
      expect(answer.text).toContain(`sealwire_connections{side="${side}"} 1`);
      expect(answer.text).toContain(
        `sealwire_calls_total{side="${side}",kind="request",pattern="message",outcome="ok"}`,
      );
      expect(answer.text).toMatch(/^sealwire_key_file_reads_total\{file=".*aes_key\.bin",outcome="loaded"\} 1$/m);
      expect(answer.text).not.toContain(sent);
    }
  });

  it('send Hello Server! by default', async () => {
    expect(await post(`${url}/messages`)).toMatchObject({ status: 200, json: { text: 'Hello Server!', bytes: 13 } });
  });

  it('carry bytes as bytes in both directions', async () => {
    const body = Buffer.from([...Array(256).keys()]);
    const answer = await call(`${url}/send/echo`, { headers: OCTETS, body });
    expect(answer).toMatchObject({ status: 200, bytes: body });
    expect(answer.headers['content-type']).toBe('application/octet-stream');
  });

  it.each([[{ a: [1, null] }], ['text'], [5], [false], [[]]])('carry any JSON value: %j', async (value) => {
    expect(await post(`${url}/send/echo`, value)).toMatchObject({ status: 200, json: value });
  });

  it('answer with the last value, or with all', async () => {
    const body = { from: 3, intervalMs: 1 };
    expect(await post(`${url}/send/countdown`, body)).toMatchObject({ status: 200, json: 0 });
    expect(await post(`${url}/send/countdown?all`, body)).toMatchObject({ status: 200, json: [3, 2, 1, 0] });
  });

  it('carry events', async () => {
    expect(await post(`${url}/emit/notice`, { text: 'Look out' })).toMatchObject({ status: 202 });
    await expect(server.logged('Notice: Look out')).resolves.toBeDefined();
  });

  it('stream values, then complete', async () => {
    expect(await text(await stream(countdown(2, 1)))).toBe(
      'id: 1\ndata: 2\n\nid: 2\ndata: 1\n\nid: 3\ndata: 0\n\nid: 4\nevent: complete\ndata: {}\n\n',
    );
  });

  it('cancel the handler when a stream is closed', async () => {
    const caller = new AbortController();
    const response = await stream(countdown(1_000_000, 10), caller.signal);
    response.on('error', () => undefined);
    caller.abort();
    await expect(server.logged('A countdown was cancelled')).resolves.toBeDefined();
  });

  it.each([
    ['/send/nowhere', undefined, 404, 'ERR_NO_HANDLER'],
    ['/send/message', 5, 400, 'ERR_RPC'],
    ['/send/countdown?timeout=30', { from: 1, intervalMs: 60_000 }, 504, 'ERR_DEADLINE'],
    ['/send/echo', null, 400, 'ERR_BAD_BODY'],
    ['/nowhere', undefined, 404, 'ERR_NO_ROUTE'],
  ])('answer a failure with its status: POST %s %j is %i', async (path, body, statusCode, code) => {
    expect(await post(`${url}${path}`, body)).toMatchObject({ status: statusCode, json: { statusCode, code } });
  });

  it('answer 404 to a stream without a handler', async () => {
    expect(await call(`${url}/stream/nowhere`, { method: 'GET' })).toMatchObject({ status: 404 });
  });

  it('refuse a message that is too large, even by its pattern alone', async () => {
    for (const bytes of [MAX_MESSAGE_BYTES, MAX_MESSAGE_BYTES + 1]) {
      const answer = await call(`${url}/send/echo`, { headers: OCTETS, body: Buffer.alloc(bytes) });
      expect(answer, `${bytes} bytes`).toMatchObject({ status: 413, json: { statusCode: 413 } });
    }
    const largest = Buffer.alloc(MAX_MESSAGE_BYTES - 1_024, 7);
    const answer = await call(`${url}/send/echo`, { headers: OCTETS, body: largest });
    expect(answer.status).toBe(200);
    expect(answer.bytes.equals(largest)).toBe(true);
  });

  it('survive values that are nested too deeply', async () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    const answer = await call(`${url}/send/echo`, { headers: { 'content-type': 'application/json' }, body: deep });
    // Newer engines write any depth, older ones run out of stack.
    if (answer.status !== 200)
      expect(answer).toMatchObject({
        status: 400,
        json: { code: 'ERR_MESSAGE_UNSERIALIZABLE', message: expect.stringContaining('nested too deeply') as string },
      });
    expect(await post(`${url}/messages`)).toMatchObject({ status: 200 });
  });

  it('are healthy', async () => {
    for (const health of [addresses['health'] ?? '', `${url}/health`]) {
      expect(await call(health, { method: 'GET' })).toMatchObject({ status: 200, json: { status: 'ok' } });
    }
  });
});
