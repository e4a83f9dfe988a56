import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';

import { Logger } from '@nestjs/common';
import { CryptoError } from '@sealwire/crypto';
import { TransportError } from '@sealwire/transport';
import { concat, EMPTY, finalize, from, NEVER, of, Subject, throwError } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';

import { call, open, post } from '../../support/http-call.js';
import { startTrigger } from './trigger-app.js';
import type { TriggerApp } from './trigger-app.js';

const OCTETS = { 'content-type': 'application/octet-stream' };
const MAX_BODY_BYTES = 8 * 1_024 * 1_024;
const FAR_TOO_LARGE = Buffer.alloc(8 * MAX_BODY_BYTES); // more than the kernel keeps while nobody reads

let trigger: TriggerApp;

function stream(path: string, signal?: AbortSignal): Promise<IncomingMessage> {
  return open(`${trigger.url}/stream/${path}`, { method: 'GET', ...(signal && { signal }) });
}

beforeEach(async () => {
  trigger = await startTrigger();
});

afterEach(() => trigger.app.close());

describe('GET /', () => {
  it('returns the console page, which links to the page that describes all calls', async () => {
    const answer = await call(`${trigger.url}/`, { method: 'GET' });
    expect(answer).toMatchObject({ status: 200, headers: { 'content-type': 'text/html; charset=utf-8' } });
    expect(answer.text).toContain('href="docs"');
    expect((await call(`${trigger.url}/docs`, { method: 'GET' })).status).toBe(200);
  });
});

describe('POST /messages', () => {
  beforeEach(() => trigger.channel.handle('message', (data) => of({ got: data })));

  it('sends the text to the pattern message and answers with the receipt', async () => {
    const answer = await post(`${trigger.url}/messages`, { text: 'Hi' });
    expect(answer).toMatchObject({ status: 200, json: { got: { text: 'Hi' } } });
  });

  it.each([undefined, {}])('sends Hello Server! if the text is missing: %o', async (body) => {
    expect(await post(`${trigger.url}/messages`, body)).toMatchObject({ json: { got: { text: 'Hello Server!' } } });
  });

  it.each([[{ text: 5 }], ['Hi'], [[1]], [null]])('refuses %o', async (body) => {
    expect(await post(`${trigger.url}/messages`, body)).toMatchObject({ status: 400, json: { code: 'ERR_BAD_BODY' } });
  });
});

describe('POST /send/:pattern', () => {
  it('answers with the last value', async () => {
    trigger.channel.handle('count', () => of(1, 2, 3));
    expect(await post(`${trigger.url}/send/count`)).toMatchObject({ status: 200, json: 3 });
  });

  it.each(['all', 'all=1', 'all=true'])('answers with all values as an array: ?%s', async (query) => {
    trigger.channel.handle('count', () => of(1, 'two', Buffer.from('3')));
    const answer = await post(`${trigger.url}/send/count?${query}`);
    expect(answer).toMatchObject({ status: 200, json: [1, 'two', { base64: 'Mw==' }] });
  });

  it.each([[{ a: [1] }], ['text'], [5], [0], [false], [''], [[]]])('carries any JSON value: %j', async (value) => {
    trigger.channel.handle('echo', (data) => of(data));
    const answer = await post(`${trigger.url}/send/echo`, value);
    expect(answer).toMatchObject({ status: 200, json: value });
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
  });

  it('carries bytes both ways', async () => {
    trigger.channel.handle('echo', (data) => of(data));
    const body = Buffer.from([0, 1, 254, 255]);
    const answer = await call(`${trigger.url}/send/echo`, { headers: OCTETS, body });
    expect(answer).toMatchObject({ status: 200, bytes: body });
    expect(answer.headers['content-type']).toBe('application/octet-stream');
  });

  it('sends {} if the body is empty', async () => {
    trigger.channel.handle('echo', (data) => of(data));
    expect(await post(`${trigger.url}/send/echo`)).toMatchObject({ status: 200, json: {} });
  });

  it('answers null if the handler returns nothing', async () => {
    trigger.channel.handle('void', () => EMPTY);
    expect(await post(`${trigger.url}/send/void`)).toMatchObject({ status: 200, json: null });
  });

  it.each([
    ['{"cmd":"sum"}', '{"cmd":"sum"}'],
    ['{"b":1,"a":2}', '{"a":2,"b":1}'],
    ['a/b c', 'a/b c'],
    ['5', '5'],
  ])('reaches the pattern %s', async (pattern, normalized) => {
    trigger.channel.handle(normalized, () => of('reached'));
    const answer = await post(`${trigger.url}/send/${encodeURIComponent(pattern)}`);
    expect(answer).toMatchObject({ status: 200, json: 'reached' });
  });

  it('fails after the deadline, and the handler is cancelled', async () => {
    let cancelled = false;
    trigger.channel.handle('slow', () => NEVER.pipe(finalize(() => (cancelled = true))));
    const answer = await post(`${trigger.url}/send/slow?timeout=20`);
    expect(answer).toMatchObject({ status: 504, json: { statusCode: 504, code: 'ERR_DEADLINE' } });
    expect(cancelled).toBe(true);
  });

  it('cancels the handler when the caller disconnects', async () => {
    const started = new Subject<void>();
    const gone = new Promise<void>((resolve) => {
      trigger.channel.handle('slow', () => {
        started.next();
        return NEVER.pipe(finalize(resolve));
      });
    });
    const caller = new AbortController();
    started.subscribe(() => caller.abort());
    await expect(call(`${trigger.url}/send/slow`, { signal: caller.signal })).rejects.toThrow('aborted');
    await gone;
  });
});

describe('POST /emit/:pattern', () => {
  it('answers 202 once the event is accepted', async () => {
    expect(await post(`${trigger.url}/emit/note`, { text: 'Hi' })).toMatchObject({
      status: 202,
      json: { accepted: true },
    });
    expect(trigger.channel.events).toEqual([{ pattern: 'note', data: { text: 'Hi' } }]);
  });

  it('answers 503 if there is no connection', async () => {
    trigger.channel.failure = new TransportError('ERR_CONNECT_FAILED', 'refused', { sent: false });
    expect(await post(`${trigger.url}/emit/note`)).toMatchObject({ status: 503, json: { code: 'ERR_CONNECT_FAILED' } });
  });
});

describe('GET /stream/:pattern', () => {
  it('sends every value as an event, then complete', async () => {
    trigger.channel.handle('count', (data) => from([data, 'a\nb', Buffer.from('3')]));
    const response = await stream(`count?data=${encodeURIComponent('{"from":1}')}`);
    expect(response.statusCode).toBe(200);
    expect(response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    const events = ['data: {"from":1}', 'data: "a\\nb"', 'data: {"base64":"Mw=="}', 'event: complete\ndata: {}'];
    expect(await text(response)).toBe(events.map((event, index) => `id: ${index + 1}\n${event}\n\n`).join(''));
  });

  it('completes if there is no value', async () => {
    trigger.channel.handle('none', () => EMPTY);
    expect(await text(await stream('none'))).toBe('id: 1\nevent: complete\ndata: {}\n\n');
  });

  it('runs no handler for an EventSource that reconnects, and stops it', async () => {
    let runs = 0;
    trigger.channel.handle('count', () => of((runs += 1)));
    const [, lastId = ''] = /id: (\d+)\nevent: complete/.exec(await text(await stream('count'))) ?? [];
    const headers = { 'last-event-id': lastId };
    const again = await call(`${trigger.url}/stream/count`, { method: 'GET', headers });
    expect(again).toMatchObject({ status: 204, text: '' });
    expect(runs).toBe(1);
  });

  it('reports a failure after the first value as an event', async () => {
    trigger.channel.handle('half', () =>
      concat(
        of(1),
        throwError(() => 'broken'),
      ),
    );
    expect(await text(await stream('half'))).toBe(
      'id: 1\ndata: 1\n\nid: 2\nevent: error\ndata: {"statusCode":502,"code":"ERR_RPC","message":"broken"}\n\n',
    );
  });

  it.each([
    ['missing', 404],
    ['broken', 502],
    ['slow?timeout=20', 504],
    ['slow?data=null', 400],
    ['slow?data={', 400],
  ])('answers a failure before the first value with its status: %s', async (path, status) => {
    trigger.channel.handle('broken', () => throwError(() => 'broken'));
    trigger.channel.handle('slow', () => NEVER);
    const answer = await call(`${trigger.url}/stream/${path}`, { method: 'GET' });
    expect(answer).toMatchObject({ status, json: { statusCode: status } });
  });

  it('cancels the handler when the caller closes the request', async () => {
    const gone = new Promise<void>((resolve) => {
      trigger.channel.handle('endless', () => concat(of(1), NEVER).pipe(finalize(resolve)));
    });
    const caller = new AbortController();
    const response = await stream('endless', caller.signal);
    response.on('error', () => undefined);
    caller.abort();
    await expect(gone).resolves.toBeUndefined();
  });

  it('disconnects a caller that does not read', async () => {
    const values = new Subject<string>();
    trigger.channel.handle('flood', () => concat(of('first'), values));
    const response = await stream('flood');
    response.on('error', () => undefined);
    const closed = new Promise((resolve) => response.once('close', resolve));
    const large = 'x'.repeat(1_024 * 1_024);
    for (let sent = 0; sent < 32; sent++) values.next(large); // more than the kernel takes for a reader that waits
    await expect.poll(() => values.observed).toBe(false);
    response.resume();
    await closed;
  });

  it('refuses HEAD, which would leave the handler without a reader', async () => {
    trigger.channel.handle('endless', () => NEVER);
    expect(await call(`${trigger.url}/stream/endless`, { method: 'HEAD' })).toMatchObject({ status: 405 });
  });
});

describe('a failed call', () => {
  it('of which the keys of the client are the reason is 503 without the reason, which is logged', async () => {
    const warn = vi.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
    onTestFinished(() => warn.mockRestore());
    trigger.channel.failure = new CryptoError('ERR_KEYRING_NO_PRIMARY', 'Primary key 5568aa24c82d0bf1 has expired');
    const answer = await post(`${trigger.url}/send/x`);
    expect(answer).toMatchObject({ status: 503, json: { code: 'ERR_KEYRING_NO_PRIMARY', sent: false } });
    expect(JSON.stringify(answer)).not.toContain('5568aa24c82d0bf1');
    expect(warn.mock.calls.flat()).toContain(
      'POST /send/x: 503 ERR_KEYRING_NO_PRIMARY: Primary key 5568aa24c82d0bf1 has expired',
    );
  });

  it.each([
    ['ERR_CONNECT_FAILED', 503],
    ['ERR_CONNECT_TIMEOUT', 503],
    ['ERR_ALERT', 503],
    ['ERR_CONNECTION_LOST', 503],
    ['ERR_OVERLOADED', 503],
    ['ERR_QUEUE_FULL', 503],
    ['ERR_REQUEST_TIMEOUT', 504],
    ['ERR_MESSAGE_TOO_LARGE', 413],
    ['ERR_MESSAGE_UNSERIALIZABLE', 400],
  ] as const)('of the channel has its code: %s is %i', async (code, statusCode) => {
    trigger.channel.failure = new TransportError(code, 'why', { sent: false });
    const answer = await post(`${trigger.url}/send/x`);
    expect(answer).toMatchObject({ status: statusCode, json: { statusCode, code, message: 'why' } });
  });

  it.each(['ERR_MESSAGE_TOO_LARGE', 'ERR_MESSAGE_UNSERIALIZABLE'] as const)(
    'is not blamed on the caller if the answer is at fault: %s',
    async (code) => {
      trigger.channel.handle('x', () => throwError(() => new TransportError(code, 'why', { sent: true })));
      expect(await post(`${trigger.url}/send/x`)).toMatchObject({ status: 502, json: { code } });
    },
  );

  it.each([
    ['a text', 'no stock', 'no stock'],
    ['an object from a filter', { status: 'error', message: 'no stock' }, 'no stock'],
    ['an error', new Error('no stock'), 'no stock'],
    ['anything else', { reason: 5 }, '{"reason":5}'],
  ])('of the handler is 502 with its message: %s', async (_, error, message) => {
    trigger.channel.handle('x', () => throwError(() => error));
    const answer = await post(`${trigger.url}/send/x`);
    expect(answer).toMatchObject({ status: 502, json: { statusCode: 502, code: 'ERR_RPC', message } });
  });

  it.each([
    ['statusCode', { statusCode: 400, message: 'The payload was refused', issues: [{ path: 'text' }] }, 400],
    ['status', { status: 404, code: 'NO_ORDER', message: 'No order', order: 7 }, 404],
    ['of several texts', { statusCode: 422, message: ['a', 'b'], error: 'Unprocessable' }, 422],
    ['that is not a failure status', { statusCode: 200, message: 'no' }, 502],
  ])('of the handler has the status and the fields that a filter set: %s', async (_, error, statusCode) => {
    trigger.channel.handle('x', () => throwError(() => error));
    const answer = await post(`${trigger.url}/send/x`);
    const code = 'code' in error ? error.code : 'ERR_RPC';
    const message = Array.isArray(error.message) ? error.message.join('; ') : error.message;
    expect(answer).toMatchObject({ status: statusCode, json: { ...error, statusCode, code, message } });
  });

  it('without a handler is 404', async () => {
    expect(await post(`${trigger.url}/send/x`)).toMatchObject({ status: 404, json: { code: 'ERR_NO_HANDLER' } });
  });

  it.each([
    ['POST', '/nowhere', 404, 'ERR_NO_ROUTE'],
    ['POST', '/send/%FF', 400, 'ERR_BAD_REQUEST'],
    ['POST', '/send/%7B', 400, 'ERR_BAD_PATTERN'],
    ['POST', '/send/x?timeout=0', 400, 'ERR_BAD_REQUEST'],
    ['POST', '/send/x?all=2', 400, 'ERR_BAD_REQUEST'],
  ])('of the address is refused: %s %s is %i', async (method, path, statusCode, code) => {
    expect(await call(`${trigger.url}${path}`, { method })).toMatchObject({ json: { statusCode, code } });
  });

  it.each([
    ['GET', '/messages', 'POST'],
    ['PUT', '/send/x', 'POST'],
    ['GET', '/send/%7B%22cmd%22%3A1%7D', 'POST'],
    ['DELETE', '/emit/x?timeout=1', 'POST'],
    ['POST', '/stream/x', 'GET'],
    ['HEAD', '/stream/x', 'GET'],
    ['POST', '/health', 'GET, HEAD'],
    ['POST', '/metrics', 'GET, HEAD'],
    ['POST', '/docs', 'GET, HEAD'],
    ['POST', '/docs/openapi.json', 'GET, HEAD'],
    ['POST', '/', 'GET, HEAD'],
  ])('of the method is refused, with the allowed method: %s %s', async (method, path, allow) => {
    const answer = await call(`${trigger.url}${path}`, { method });
    expect(answer).toMatchObject({ status: 405, headers: { allow } });
    if (method !== 'HEAD') expect(answer).toMatchObject({ json: { statusCode: 405, code: 'ERR_METHOD' } });
  });

  it.each([
    ['text/plain', '{}', 415],
    ['application/x-www-form-urlencoded', 'text=Hi', 415],
    ['multipart/form-data; boundary=x', '--x--', 415],
    ['application/json', '{', 400],
    ['application/json', 'null', 400],
    ['application/json', '{"__proto__":{"polluted":true}}', 400],
  ])('of the body is refused: %s %s is %i', async (type, body, statusCode) => {
    for (const path of ['/messages', '/send/x', '/emit/x']) {
      const answer = await call(`${trigger.url}${path}`, { headers: { 'content-type': type }, body });
      expect(answer, path).toMatchObject({ status: statusCode, json: { statusCode } });
    }
    expect(trigger.channel.events).toEqual([]);
  });

  it('of a compressed body is refused', async () => {
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    expect(await call(`${trigger.url}/send/x`, { headers, body: 'x' })).toMatchObject({ status: 415 });
  });

  it.each([{ 'content-length': String(FAR_TOO_LARGE.length) }, { 'transfer-encoding': 'chunked' }])(
    'of a body that is too large is 413, announced or not: %o',
    async (length) => {
      const options = { headers: { ...OCTETS, ...length }, body: FAR_TOO_LARGE };
      const answer = await call(`${trigger.url}/send/x`, options);
      expect(answer).toMatchObject({ status: 413, json: { code: 'ERR_BODY_TOO_LARGE' } });
    },
  );
});
