import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

import { TransportError } from '@sealwire/transport';
import { concat, NEVER, of, Subject } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { CALLER_BOUNDS } from '../../../apps/client/src/http/caller-limits.js';
import { call, open, post } from '../../support/http-call.js';
import { startTrigger } from './trigger-app.js';
import type { TriggerApp } from './trigger-app.js';

const ROUTES = [
  ['POST', '/messages'],
  ['POST', '/send/echo'],
  ['POST', '/emit/note'],
  ['GET', '/stream/echo'],
  ['GET', '/metrics'],
  ['GET', '/health'],
  ['GET', '/docs'],
  ['GET', '/docs/openapi.json'],
  ['GET', '/nowhere'],
] as const;
const GUARDED = ROUTES.slice(0, 5);

let trigger: TriggerApp;

async function start(env: NodeJS.ProcessEnv = {}): Promise<void> {
  trigger = await startTrigger(env);
  trigger.channel.handle('message', () => of('receipt'));
  trigger.channel.handle('echo', (data) => of(data));
}

afterEach(() => trigger.app.close());

describe('the Host and Origin check', () => {
  beforeEach(() => start());

  it.each(ROUTES)('refuses a foreign Host: %s %s', async (method, path) => {
    const answer = await call(`${trigger.url}${path}`, { method, headers: { host: 'evil.example' } });
    expect(answer).toMatchObject({ status: 403, json: { statusCode: 403, code: 'ERR_HOST_NOT_ALLOWED' } });
  });

  it.each(ROUTES)('refuses a foreign Origin: %s %s', async (method, path) => {
    for (const origin of ['https://evil.example', 'http://127.0.0.1:9', 'http://127.0.0.1', 'null']) {
      const answer = await call(`${trigger.url}${path}`, { method, headers: { origin } });
      expect(answer, origin).toMatchObject({ status: 403, json: { code: 'ERR_ORIGIN_NOT_ALLOWED' } });
    }
  });

  it.each(GUARDED)('refuses a call of a foreign page without an Origin: %s %s', async (method, path) => {
    for (const site of ['cross-site', 'same-site']) {
      const answer = await call(`${trigger.url}${path}`, { method, headers: { 'sec-fetch-site': site } });
      expect(answer, site).toMatchObject({ status: 403, json: { code: 'ERR_ORIGIN_NOT_ALLOWED' } });
    }
  });

  it('accepts calls of a page of the app', async () => {
    const headers = { origin: trigger.url, 'sec-fetch-site': 'same-origin' };
    expect(await post(`${trigger.url}/messages`, {}, { headers })).toMatchObject({ status: 200 });
  });

  it('accepts calls of a page of a listed origin', async () => {
    await trigger.app.close();
    await start({ HTTP_ALLOWED_HOSTS: '127.0.0.1,http://127.0.0.1:9' });
    const headers = { origin: 'http://127.0.0.1:9', 'sec-fetch-site': 'same-site' };
    expect(await post(`${trigger.url}/messages`, {}, { headers })).toMatchObject({ status: 200 });
    const other = { ...headers, origin: 'http://127.0.0.1:10' };
    expect(await post(`${trigger.url}/messages`, {}, { headers: other })).toMatchObject({ status: 403 });
  });

  it('sends nothing for a refused call', async () => {
    await post(`${trigger.url}/emit/note`, {}, { headers: { host: 'evil.example' } });
    expect(trigger.channel.events).toEqual([]);
  });

  it('accepts other names if they are set', async () => {
    await trigger.app.close();
    await start({ HTTP_ALLOWED_HOSTS: 'demo.example', HTTP_TOKEN: 'secret' });
    const headers = { host: 'demo.example:3000', authorization: 'Bearer secret' };
    expect(await post(`${trigger.url}/messages`, {}, { headers })).toMatchObject({ status: 200 });
    const foreign = { ...headers, host: 'evil.example' };
    expect(await post(`${trigger.url}/messages`, {}, { headers: foreign })).toMatchObject({ status: 403 });
  });
});

describe('HTTP_TOKEN', () => {
  beforeEach(() => start({ HTTP_TOKEN: 'secret' }));

  it.each(GUARDED)('is needed for %s %s', async (method, path) => {
    for (const authorization of ['', 'Bearer', 'Bearer wrong', 'Bearer secrets', 'Basic secret', 'secret']) {
      const answer = await call(`${trigger.url}${path}`, { method, headers: { authorization } });
      expect(answer, authorization).toMatchObject({ status: 401, json: { statusCode: 401, code: 'ERR_UNAUTHORIZED' } });
      expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
    }
    const headers = { authorization: 'Bearer secret' };
    expect((await call(`${trigger.url}${path}`, { method, headers })).status).toBeLessThan(300);
  });

  it.each(['/health', '/docs'])('is not needed for GET %s', async (path) => {
    expect((await call(`${trigger.url}${path}`, { method: 'GET' })).status).toBe(200);
  });

  it('is checked before a body is read', async () => {
    const headers = { 'content-type': 'application/json', 'content-length': '1000000' };
    const stranger = await open(`${trigger.url}/send/echo`, { headers, body: '{' }).catch((error: unknown) => error);
    expect(stranger).toMatchObject({ statusCode: 401 });
  });
});

describe('a pattern', () => {
  beforeEach(() => start());

  it.each([
    '__proto__',
    'constructor',
    'toString',
    '*',
    '.*',
    '../../health',
    'echo?all=1#x',
    'echo\r\nhost: evil.example',
    "'; DROP TABLE orders; --",
    '${process.exit()}',
    ' echo',
  ])('is data only: %j', async (pattern) => {
    const path = encodeURIComponent(pattern);
    expect(await post(`${trigger.url}/emit/${path}`, {})).toMatchObject({ status: 202 });
    expect(trigger.channel.events).toEqual([{ pattern, data: {} }]);
    const answer = await post(`${trigger.url}/send/${path}`, {});
    expect(answer).toMatchObject({ status: 404, json: { code: 'ERR_NO_HANDLER' } });
  });
});

describe('a prototype', () => {
  beforeEach(() => start());

  it.each([
    ['a query', '/send/echo?__proto__[polluted]=1', '{}'],
    ['a query with a dot', '/send/echo?constructor.prototype.polluted=1', '{}'],
    ['a nested query', '/send/echo?constructor[prototype][polluted]=1', '{}'],
    ['a body', '/send/echo', '{"a":[{"__proto__":{"polluted":1}}]}'],
    ['an escaped body', '/send/echo', '{"\\u005f_proto__":{"polluted":1}}'],
    ['a constructor in the body', '/send/echo', '{"constructor":{"prototype":{"polluted":1}}}'],
    ['a pattern', '/send/%7B%22__proto__%22%3A%7B%22polluted%22%3A1%7D%7D', '{}'],
  ])('is not changed by the input of a caller: %s', async (_, path, body) => {
    const headers = { 'content-type': 'application/json' };
    const answer = await call(`${trigger.url}${path}`, { headers, body });
    expect([200, 400]).toContain(answer.status);
    expect(answer.text).not.toContain('polluted');
    expect('polluted' in {}).toBe(false);
  });
});

describe('the rate limit', () => {
  it('bounds how often a token can be guessed', async () => {
    await start({ HTTP_TOKEN: 'secret', HTTP_RATE_LIMIT: '2' });
    const guess = (): Promise<{ status: number }> =>
      post(`${trigger.url}/send/echo`, {}, { headers: { authorization: 'Bearer guess' } });
    expect([await guess(), await guess(), await guess()].map(({ status }) => status)).toEqual([401, 401, 429]);
  });

  it('answers 429 to a caller that is too fast, and gives health checks a separate allowance', async () => {
    await start({ HTTP_RATE_LIMIT: '2' });
    for (let calls = 0; calls < 2; calls++) expect((await post(`${trigger.url}/send/echo`)).status).toBe(200);
    const refused = await post(`${trigger.url}/send/echo`);
    expect(refused).toMatchObject({ status: 429, json: { statusCode: 429, code: 'ERR_RATE_LIMIT' } });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    const health = async (): Promise<number> => (await call(`${trigger.url}/health`, { method: 'GET' })).status;
    expect([await health(), await health(), await health()]).toEqual([200, 200, 429]);
  });
});

describe('a caller behind a trusted proxy', () => {
  const statusesOf = async (...users: readonly string[]): Promise<readonly number[]> => {
    const statuses: number[] = [];
    for (const user of users) {
      const headers = { 'x-forwarded-for': user };
      statuses.push((await post(`${trigger.url}/send/echo`, {}, { headers })).status);
    }
    return statuses;
  };

  it('has its own allowance', async () => {
    await start({ HTTP_RATE_LIMIT: '1', HTTP_TRUSTED_PROXIES: 'loopback' });
    expect(await statusesOf('203.0.113.1', '203.0.113.2', '203.0.113.1')).toEqual([200, 200, 429]);
  });

  it('cannot choose its own name without a trusted proxy', async () => {
    await start({ HTTP_RATE_LIMIT: '1' });
    expect(await statusesOf('203.0.113.1', '203.0.113.2')).toEqual([200, 429]);
  });
});

describe('the connections', () => {
  it('are kept as long as configured, and no request may take longer than 30 s', async () => {
    await start({ HTTP_KEEP_ALIVE_MS: '65000' });
    const { keepAliveTimeout, requestTimeout, headersTimeout } = trigger.app.getHttpServer();
    expect({ keepAliveTimeout, requestTimeout }).toEqual({ keepAliveTimeout: 65_000, requestTimeout: 30_000 });
    expect(headersTimeout).toBeLessThanOrEqual(requestTimeout);
  });
});

describe('a call that is not readable', () => {
  beforeEach(() => start());

  const answerTo = async (bytes: string): Promise<{ readonly head: string; readonly failure: unknown }> => {
    const socket = connect(Number(new URL(trigger.url).port), '127.0.0.1');
    socket.write(bytes);
    const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
    return { head, failure: JSON.parse(body) };
  };

  it.each([
    ['a long address', `GET /stream/echo?data=${'1'.repeat(20_000)} HTTP/1.1\r\n\r\n`, 431, 'ERR_HEADERS_TOO_LARGE'],
    ['long headers', `GET / HTTP/1.1\r\nx: ${'1'.repeat(20_000)}\r\n\r\n`, 431, 'ERR_HEADERS_TOO_LARGE'],
    ['another protocol', '\x16\x03\x01\x02\x00\x01', 400, 'ERR_BAD_REQUEST'],
    ['two lengths', 'POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n', 400, 'ERR_BAD_REQUEST'],
  ])('is answered with a code and a remedy: %s', async (_, bytes, statusCode, code) => {
    const { head, failure } = await answerTo(bytes);
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${statusCode} [A-Z][^]*content-type: application/json`));
    expect(failure).toMatchObject({ statusCode, code, message: expect.stringMatching(/\w+/) });
  });

  it('does not become part of an answer that has begun', async () => {
    trigger.channel.handle('endless', () => concat(of(1), NEVER));
    const socket = connect(Number(new URL(trigger.url).port), '127.0.0.1');
    socket.write(`GET /stream/endless HTTP/1.1\r\nhost: ${new URL(trigger.url).host}\r\n\r\n`);
    socket.once('data', () => socket.write('no HTTP\r\n\r\n'));
    expect((await text(socket)).match(/HTTP\/1\.1/g)).toHaveLength(1);
  });
});

describe('streams', () => {
  const openStreams = async (count: number, address: string) => {
    const path = `${trigger.url}/stream/endless`;
    const opened = Array.from({ length: count }, () => open(path, { method: 'GET', localAddress: address }));
    return Promise.all(opened);
  };

  it('of one caller leave a place to the calls of all others, and to the streams of others', async () => {
    await start();
    trigger.channel.handle('endless', () => concat(of(1), NEVER));
    const { each } = CALLER_BOUNDS.streams;
    const responses = await openStreams(each + 1, '127.0.0.1');
    const refused = responses.filter(({ statusCode }) => statusCode !== 200);
    expect(refused).toHaveLength(1);
    expect(refused[0]).toMatchObject({ statusCode: 503, headers: { 'retry-after': '1' } });
    expect(await post(`${trigger.url}/send/echo`, 1)).toMatchObject({ status: 200 });
    expect((await openStreams(1, '127.0.0.2'))[0]).toMatchObject({ statusCode: 200 });
    responses[0]?.destroy();
    await expect.poll(async () => (await openStreams(1, '127.0.0.1'))[0]?.statusCode).toBe(200);
    for (const response of responses) response.destroy();
  });
});

describe('running calls', () => {
  it('of one caller are bounded, and free their places when they end', async () => {
    await start();
    const answers = new Subject<number>();
    trigger.channel.handle('slow', () => answers);
    const { each } = CALLER_BOUNDS.calls;
    const calls = Array.from({ length: each + 1 }, () => post(`${trigger.url}/send/slow`));
    const refused = await Promise.any(calls);
    expect(refused).toMatchObject({ status: 503, json: { code: 'ERR_BUSY' } });
    answers.next(1);
    answers.complete();
    const statuses = (await Promise.all(calls)).map(({ status }) => status);
    expect(statuses.filter((status) => status !== 200)).toEqual([503]);
    expect(await post(`${trigger.url}/send/echo`, 1)).toMatchObject({ status: 200 });
  });
});

describe('bodies', () => {
  it('are refused immediately if too many are being read, and accepted again afterwards', async () => {
    await start();
    const headers = { 'content-type': 'application/octet-stream', 'content-length': String(8 * 1_024 * 1_024) };
    const stalling = new AbortController();
    const begun: Promise<unknown>[] = [];
    // On a busy machine, a body may time out before all have arrived.
    const refused = await vi.waitFor(
      () => {
        const bodies = Array.from({ length: 9 }, async () => {
          const body = Buffer.alloc(8_000_000);
          const response = await open(`${trigger.url}/send/echo`, { headers, body, signal: stalling.signal });
          return response.statusCode === 503 ? response : Promise.reject(new Error(`status ${response.statusCode}`));
        });
        begun.push(...bodies);
        return Promise.any(bodies);
      },
      { timeout: 120_000 },
    );
    expect(refused.headers).toMatchObject({ 'retry-after': '1' });
    expect(JSON.parse(await text(refused))).toMatchObject({ statusCode: 503, code: 'ERR_BUSY' });
    stalling.abort();
    await Promise.allSettled(begun);
    await expect.poll(async () => (await post(`${trigger.url}/send/echo`, 'more')).status).toBe(200);
  });
});

describe('GET /health', () => {
  beforeEach(() => start());

  it('answers 200 with a connection', async () => {
    const answer = await call(`${trigger.url}/health`, { method: 'GET' });
    expect(answer).toMatchObject({ status: 200, json: { status: 'ok', info: { channel: { status: 'up' } } } });
  });

  it('answers 503 without one', async () => {
    trigger.channel.failure = new TransportError('ERR_CONNECT_FAILED', 'refused');
    const answer = await call(`${trigger.url}/health`, { method: 'GET' });
    expect(answer).toMatchObject({ status: 503, json: { status: 'error', error: { channel: { status: 'down' } } } });
  });
});

/** Returns the addresses in the first column of a page. */
function tableOf(page: string): readonly string[] {
  const content = readFileSync(new URL(`../../../${page}`, import.meta.url), 'utf8');
  const rows = [...content.matchAll(/^\| `(?:GET|POST) ([^?`]+)/gm)].map(([, path = '']) => path);
  return rows.map((path) => path.replaceAll(/:(\w+)/g, '{$1}')).sort();
}

describe('GET /docs', () => {
  beforeEach(() => start());

  it('describes every route with an example and every status', async () => {
    const { json } = await call(`${trigger.url}/docs/openapi.json`, { method: 'GET' });
    const { paths } = json as { paths: Record<string, Record<string, { summary?: string; responses: object }>> };
    expect(Object.keys(paths).sort()).toEqual([
      '/console/attacks/{name}',
      '/console/wire',
      '/emit/{pattern}',
      '/health',
      '/messages',
      '/metrics',
      '/send/{pattern}',
      '/stream/{pattern}',
    ]);
    expect(tableOf('docs/demo.md')).toEqual(Object.keys(paths).sort());
    for (const path of ['/messages', '/send/{pattern}', '/emit/{pattern}', '/stream/{pattern}']) {
      const [operation] = Object.values(paths[path] ?? {});
      expect(operation?.summary, path).toBeTruthy();
      const statuses = Object.keys(operation?.responses ?? {});
      expect(statuses, path).toEqual(expect.arrayContaining(['400', '401', '403', '429', '503', '504']));
      // Nobody answers an event, not even that there is no handler.
      const answered = path === '/emit/{pattern}' ? [] : ['404', '502'];
      expect(
        statuses.filter((status) => ['404', '502'].includes(status)),
        path,
      ).toEqual(answered);
      expect(JSON.stringify(operation), path).toContain('"example');
    }
  });

  it('is a page that works in a browser over plain HTTP', async () => {
    const page = await call(`${trigger.url}/docs`, { method: 'GET' });
    expect(page.text).toContain('Sealwire trigger');
    expect(page.headers['content-security-policy']).not.toContain('upgrade-insecure-requests');
    expect(page.headers['strict-transport-security']).toBeUndefined();
  });
});

describe('every answer', () => {
  it('forbids browsers to guess types and hides the server software', async () => {
    await start();
    const { headers } = await post(`${trigger.url}/send/echo`, 'text');
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['x-powered-by']).toBeUndefined();
  });

  it.each([
    ['one that is served', 'POST', '/send/echo', {}, 200],
    ['a foreign Host', 'POST', '/send/echo', { host: 'evil.example' }, 403],
    ['no route', 'GET', '/nowhere', {}, 404],
    ['no handler', 'POST', '/send/nowhere', {}, 404],
    ['the page', 'GET', '/docs', {}, 200],
  ])('has the headers that protect a browser: %s', async (_, method, path, headers, status) => {
    await start();
    const answer = await call(`${trigger.url}${path}`, { method, headers });
    expect(answer).toMatchObject({
      status,
      headers: {
        'content-security-policy': expect.stringContaining("default-src 'self'"),
        'cross-origin-resource-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'SAMEORIGIN',
      },
    });
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
  });

  it('to a value that JSON cannot express is 502 and shows no code', async () => {
    await start();
    trigger.channel.handle('broken', () => of(1n));
    const answer = await post(`${trigger.url}/send/broken`);
    expect(answer).toMatchObject({ status: 502, json: { code: 'ERR_MESSAGE_UNSERIALIZABLE' } });
    expect(answer.text).not.toMatch(/BigInt|TypeError|\.ts|node_modules| at /);
  });
});

describe('a shutdown', () => {
  beforeEach(() => start());

  it('lets calls finish, and accepts no new ones', async () => {
    const answers = new Subject<string>();
    const asked = new Promise<void>((resolve) => {
      trigger.channel.handle('slow', () => {
        resolve();
        return answers;
      });
    });
    const pending = post(`${trigger.url}/send/slow`);
    await asked;
    const closed = trigger.app.close();
    await expect
      .poll(() => post(`${trigger.url}/send/echo`).catch((error: unknown) => error))
      .toMatchObject({
        code: 'ECONNREFUSED',
      });
    answers.next('late');
    answers.complete();
    expect(await pending).toMatchObject({ status: 200, json: 'late' });
    await closed;
  });

  it('ends streams with ERR_SHUTTING_DOWN', async () => {
    trigger.channel.handle('endless', () => concat(of(1), NEVER));
    const response = await open(`${trigger.url}/stream/endless`, { method: 'GET' });
    await trigger.app.close();
    expect(await text(response)).toContain('"code":"ERR_SHUTTING_DOWN"');
  });
});
