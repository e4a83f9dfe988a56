import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { call, post } from '../../support/http-call.js';
import { startServerHere } from './server-app.js';
import type { ServerHere } from './server-app.js';
import { startClientHere, startTrigger } from './trigger-app.js';
import type { ClientHere } from './trigger-app.js';

const REFERENCES = /(?:src|href)="(console\/[^"]+)"|from '\.\/([^']+)'/g;

let directory: string;
let server: ServerHere;
let client: ClientHere | undefined;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sealwire-console-'));
  server = await startServerHere({ SEALWIRE_KEY_FILE: join(directory, 'aes_key.bin') });
});

afterEach(async () => {
  await client?.app.close();
  client = undefined;
});

afterAll(async () => {
  await server.app.close();
  await rm(directory, { recursive: true });
});

async function start(env: NodeJS.ProcessEnv): Promise<string> {
  const shared = { SEALWIRE_KEY_FILE: join(directory, 'aes_key.bin'), SEALWIRE_SERVERS: server.channel };
  client = await startClientHere({ ...shared, ...env });
  return client.url;
}

async function startWithoutServer(env: NodeJS.ProcessEnv = {}): Promise<string> {
  client = await startTrigger(env);
  return client.url;
}

const get = (url: string) => call(url, { method: 'GET' });

/** The addresses of the files that a file of the page loads. */
const referencesOf = (text: string): readonly string[] =>
  [...text.matchAll(REFERENCES)].map(([, path, name = '']) => path ?? `console/${name}`);

describe('the console page', () => {
  it('is complete: every file that it loads is served by the app, under a strict policy', async () => {
    const url = await startWithoutServer();
    const pending = ['', ...referencesOf((await get(`${url}/`)).text)];
    const seen = new Set<string>();
    for (const path of pending) {
      if (seen.has(path)) continue;
      seen.add(path);
      const { status, headers, text } = await get(`${url}/${path}`);
      expect({ path, status }).toEqual({ path, status: 200 });
      expect(headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self';/);
      if (path.endsWith('.js')) {
        expect(headers['content-type']).toBe('text/javascript; charset=utf-8');
        pending.push(...referencesOf(text));
      }
    }
    expect(seen).toContain('console/uplot.js');
    expect(seen).toContain('console/uplot.css');
  });

  it.each(['console/none.js', 'console/..%2F..%2Fpackage.json', 'console/constructor', 'console/page.js/more'])(
    'has no other file: %s',
    async (path) => {
      const url = await startWithoutServer();
      expect(await get(`${url}/${path}`)).toMatchObject({ status: 404, json: { code: 'ERR_NO_ROUTE' } });
    },
  );

  it('is served without the token, and learns that one is needed, but not which', async () => {
    const url = await startWithoutServer({ HTTP_TOKEN: 'open-sesame', WIRE_TAP: 'true', LOG_MESSAGES: 'false' });
    const { json, text } = await get(`${url}/console/settings`);
    expect(json).toEqual({
      needsToken: true,
      showsMessages: false,
      wireTap: true,
      carrier: 'connection',
      service: 'default',
    });
    expect(text).not.toContain('open-sesame');
  });
});

const COUNTED =
  /^In the counters of the server, (\w+) rose from (\d+) to (\d+), and the handled calls of echo went from (\d+) to (\d+)\.$/;

describe('an attack of the console page', () => {
  it.each([
    ['flip', /^One bit of byte \d+ of \d+ sealed bytes: [0-9a-f]{2} became [0-9a-f]{2}\.$/, 'ERR_BAD_MAC', 0],
    ['replay', /^\d+ sealed bytes, answered in [\d.]+ ms, were sent a second time\.$/, 'ERR_BAD_MAC', 1],
    ['cut', /^The stream ended after \d+ of \d+ bytes\./, 'ERR_TRUNCATED', 0],
  ])('is refused by the server, which counts it: %s', async (name, attack, code, handled) => {
    const url = await start({ WIRE_TAP: 'true' });
    const { status, json } = await post(`${url}/console/attacks/${name}`);
    expect({ status, json }).toMatchObject({ status: 200, json: { attack: name, isRefused: true } });
    const { facts } = json as { facts: readonly { readonly name: string; readonly text: string }[] };
    const texts = Object.fromEntries(facts.map((fact) => [fact.name, fact.text]));
    expect(texts).toMatchObject({
      Before: expect.stringMatching(/answered in/),
      Attack: expect.stringMatching(attack),
      Server: expect.stringMatching(/^It (?:ended|reset) the connection after [\d.]+ ms, and sent no answer\.$/),
      Counters: expect.stringMatching(COUNTED),
      Afterwards: expect.stringMatching(/answered in/),
    });
    const [, counted, failedBefore, failedAfter, before, after] = COUNTED.exec(texts['Counters'] ?? '') ?? [];
    expect({ counted, failures: Number(failedAfter) - Number(failedBefore) }).toEqual({ counted: code, failures: 1 });
    expect(Number(after) - Number(before)).toBe(handled);
    if (name !== 'replay') expect(texts['Caller']).toMatch(/^ERR_(?:TRUNCATED|CONNECTION_LOST): /);
  });

  it('is on one connection if the name of the server has several addresses', async () => {
    const url = await start({ WIRE_TAP: 'true', SEALWIRE_SERVERS: `localhost:${server.channel.split(':')[1] ?? ''}` });
    const { status, json } = await post(`${url}/console/attacks/flip`);
    expect({ status, json }).toMatchObject({ status: 200, json: { isRefused: true } });
  });

  it('runs alone: a second one at the same time gets ERR_BUSY', async () => {
    const url = await start({ WIRE_TAP: 'true' });
    const answers = await Promise.all([1, 2].map(() => post(`${url}/console/attacks/flip`)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 503]));
    expect(answers.map(({ json }) => json)).toContainEqual(expect.objectContaining({ code: 'ERR_BUSY' }));
  });

  it('needs the wire tap, the token and a known name', async () => {
    const off = await startWithoutServer();
    expect(await post(`${off}/console/attacks/flip`)).toMatchObject({ status: 404, json: { code: 'ERR_TAP_OFF' } });
    await client?.app.close();
    const locked = await startWithoutServer({ WIRE_TAP: 'true', HTTP_TOKEN: 'open-sesame' });
    expect(await post(`${locked}/console/attacks/flip`)).toMatchObject({ status: 401 });
    await client?.app.close();
    const on = await startWithoutServer({ WIRE_TAP: 'true' });
    expect(await post(`${on}/console/attacks/toString`)).toMatchObject({ status: 404, json: { code: 'ERR_NO_ROUTE' } });
    expect(await get(`${on}/console/attacks/flip`)).toMatchObject({ status: 405, headers: { allow: 'POST' } });
  });

  it('fails with the code of the channel if there is no server', async () => {
    const url = await start({ WIRE_TAP: 'true', SEALWIRE_SERVERS: '127.0.0.1:1' });
    const answer = await post(`${url}/console/attacks/flip`);
    expect(answer).toMatchObject({ status: 503, json: { code: 'ERR_CONNECT_FAILED' } });
  });
});
