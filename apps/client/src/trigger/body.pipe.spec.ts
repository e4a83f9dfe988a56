import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { CALLER_BOUNDS, CallerLimits } from '../http/caller-limits.js';
import { toFailureBody } from '../http/failure/failure-body.js';
import { MAX_MESSAGE_BYTES } from './body.js';
import { BodyPipe, MAX_BODIES } from './body.pipe.js';
import { BODY_STALL_MS, BODY_TIMEOUT_MS } from './body-reader.js';

const OCTETS = { 'content-type': 'application/octet-stream' };

function requestWith(headers: Readonly<Record<string, string>>): IncomingMessage {
  const request = new IncomingMessage(new Socket());
  Object.assign(request.headers, headers);
  return request;
}

const newPipe = (): BodyPipe => new BodyPipe(new CallerLimits());

const readBy = (pipe: BodyPipe, request: IncomingMessage): Promise<unknown> =>
  pipe.transform(new ServerResponse(request));

const read = (request: IncomingMessage): Promise<unknown> => readBy(newPipe(), request);

describe('a request body', () => {
  it('is the same however it is split', async () => {
    const request = requestWith(OCTETS);
    for (const byte of Buffer.from('bytes')) request.push(Buffer.of(byte));
    request.push(null);
    expect(await read(request)).toEqual(Buffer.from('bytes'));
  });

  it('may be as large as a message', async () => {
    const request = requestWith({ ...OCTETS, 'content-length': String(MAX_MESSAGE_BYTES) });
    request.push(Buffer.alloc(MAX_MESSAGE_BYTES));
    request.push(null);
    expect(await read(request)).toHaveLength(MAX_MESSAGE_BYTES);
  });

  it('is refused by the announced length alone', async () => {
    const request = requestWith({ ...OCTETS, 'content-length': String(MAX_MESSAGE_BYTES + 1) });
    await expect(read(request)).rejects.toMatchObject({ code: 'ERR_BODY_TOO_LARGE' });
  });

  it('is answered only after the caller has written all of it, so that the caller can read the reason', async () => {
    const request = requestWith(OCTETS);
    request.push(Buffer.alloc(MAX_MESSAGE_BYTES + 1));
    let isRefused = false;
    const refused = read(request).catch((error: unknown) => {
      isRefused = true;
      return error;
    });
    for (let turns = 0; turns < 10; turns++) await new Promise((resolve) => setImmediate(resolve));
    expect(isRefused).toBe(false);
    request.push(null);
    expect(await refused).toMatchObject({ code: 'ERR_BODY_TOO_LARGE' });
  });

  it('is refused even if it never ends, and the rest is discarded', async () => {
    const request = requestWith(OCTETS);
    request.push(Buffer.alloc(MAX_MESSAGE_BYTES + 1));
    await expect(read(request)).rejects.toMatchObject({ code: 'ERR_BODY_TOO_LARGE' });
    expect(request.readableFlowing).toBe(true);
  });

  it('is refused if it breaks off', async () => {
    const request = requestWith({ ...OCTETS, 'content-length': '10' });
    request.push(Buffer.alloc(5));
    const body = read(request);
    request.destroy(new Error('aborted'));
    await expect(body).rejects.toMatchObject({ code: 'ERR_BAD_BODY', message: 'The body is incomplete' });
  });

  it('is refused if it is compressed', async () => {
    const request = requestWith({ ...OCTETS, 'content-encoding': 'gzip' });
    await expect(read(request)).rejects.toMatchObject({ code: 'ERR_MEDIA_TYPE' });
  });

  describe('a body next to too many others', () => {
    const count = CALLER_BOUNDS.bytes.each / MAX_MESSAGE_BYTES;

    interface Body {
      readonly request: IncomingMessage;
      readonly response: ServerResponse;
      readonly read: Promise<unknown>;
    }

    function begin(pipe: BodyPipe, headers: Readonly<Record<string, string>> = OCTETS): Body {
      const request = requestWith(headers);
      const response = new ServerResponse(request);
      response.assignSocket(new Socket());
      const body = { request, response, read: pipe.transform(response) };
      body.read.catch(() => undefined);
      return body;
    }

    /** Bodies that lack one byte each, and leave no room for a whole one. */
    function fill(pipe: BodyPipe): readonly Body[] {
      const bodies = Array.from({ length: count }, () => begin(pipe));
      for (const { request } of bodies) request.push(Buffer.alloc(MAX_MESSAGE_BYTES - 1));
      return bodies;
    }

    function finish({ request }: Body): void {
      request.push(Buffer.alloc(1));
      request.push(null);
    }

    const LARGE = Buffer.alloc(MAX_MESSAGE_BYTES / 2);

    it('is refused immediately, and the rest is discarded', async () => {
      const pipe = newPipe();
      const bodies = fill(pipe);
      const late = begin(pipe);
      late.request.push(LARGE);
      await expect(late.read).rejects.toMatchObject({ code: 'ERR_BUSY' });
      expect(late.request.readableFlowing).toBe(true);
      bodies.forEach(finish);
      expect(await Promise.all(bodies.map((body) => body.read))).toHaveLength(count);
    });

    it('is read anyway if it is small', async () => {
      const pipe = newPipe();
      fill(pipe);
      const late = begin(pipe);
      late.request.push(Buffer.from('small'));
      late.request.push(null);
      expect(await late.read).toEqual(Buffer.from('small'));
    });

    it('waits until the other calls are answered, not only until their bodies are read', async () => {
      const pipe = newPipe();
      const bodies = fill(pipe);
      bodies.forEach(finish);
      await Promise.all(bodies.map((body) => body.read));
      const early = begin(pipe);
      early.request.push(LARGE);
      await expect(early.read).rejects.toMatchObject({ code: 'ERR_BUSY' });
      bodies[0]?.response.destroy();
      early.response.destroy();
      await new Promise((resolve) => setImmediate(resolve));
      const late = begin(pipe);
      late.request.push(LARGE);
      late.request.push(null);
      expect(await late.read).toHaveLength(LARGE.length);
    });

    it('is refused if the JSON of the others has too many values, however short their text is', async () => {
      const pipe = newPipe();
      const objects = Buffer.from(`[${Array.from({ length: 500_000 }, () => '{}').join(',')}]`);
      const send = (): Body => {
        const body = begin(pipe, { 'content-type': 'application/json' });
        body.request.push(objects);
        body.request.push(null);
        return body;
      };
      const first = send();
      await first.read;
      const outcomes = await Promise.allSettled([send(), send(), send()].map((body) => body.read));
      const refused = outcomes.filter(({ status }) => status === 'rejected');
      expect(refused).toHaveLength(2);
      expect(refused).toContainEqual(
        expect.objectContaining({ reason: expect.objectContaining({ code: 'ERR_BUSY' }) }),
      );
    });

    it('is refused with 413 if it has more values than a message may have', async () => {
      const body = begin(newPipe(), { 'content-type': 'application/json' });
      body.request.push(`[${'{},'.repeat(1_000_000)}{}]`);
      body.request.push(null);
      const failure = await body.read.catch((error: unknown) => toFailureBody(error));
      expect(failure).toMatchObject({ statusCode: 413, code: 'ERR_MESSAGE_TOO_COMPLEX', sent: false });
    });

    it('replaces the body that has made no progress for the longest time', async () => {
      const pipe = newPipe();
      const bodies = Array.from({ length: MAX_BODIES }, () => begin(pipe));
      bodies[0]?.request.push(Buffer.alloc(1));
      await new Promise((resolve) => setImmediate(resolve));
      const late = begin(pipe);
      late.request.push(Buffer.from('late'));
      late.request.push(null);
      expect(await late.read).toEqual(Buffer.from('late'));
      await expect(bodies[1]?.read).rejects.toMatchObject({ code: 'ERR_BUSY' });
      if (bodies[0] !== undefined) finish(bodies[0]);
      expect(await bodies[0]?.read).toHaveLength(2);
    });
  });

  it('is not ended by the many bodies of another caller, even if it makes no progress', async () => {
    const pipe = newPipe();
    const of = (ip: string): Promise<unknown> => readBy(pipe, Object.assign(requestWith(OCTETS), { ip }));
    const ended: string[] = [];
    const note = (ip: string): void => void of(ip).catch(() => ended.push(ip));
    note('192.0.2.1');
    for (let bodies = 0; bodies <= MAX_BODIES; bodies++) note('192.0.2.2');
    await new Promise((resolve) => setImmediate(resolve));
    expect(ended).toEqual(['192.0.2.2', '192.0.2.2']);
  });

  describe('that is late', () => {
    beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
    afterEach(() => vi.useRealTimers());

    const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

    it('is ended with its connection if it makes no progress', async () => {
      const request = requestWith(OCTETS);
      const response = new ServerResponse(request);
      const body = newPipe().transform(response);
      const failure = body.catch((error: unknown) => error);
      for (let chunks = 0; chunks < 3; chunks++) {
        vi.advanceTimersByTime(BODY_STALL_MS - 1);
        request.push(Buffer.alloc(1));
        await settle();
      }
      vi.advanceTimersByTime(BODY_STALL_MS);
      expect(await failure).toMatchObject({ code: 'ERR_BODY_TIMEOUT' });
      expect(response.getHeader('connection')).toBe('close');
    });

    it('is ended even if it makes a little progress', async () => {
      const request = requestWith(OCTETS);
      const failure = read(request).catch((error: unknown) => error);
      for (let passedMs = 0; passedMs < BODY_TIMEOUT_MS; passedMs += 1_000) {
        request.push(Buffer.alloc(1));
        await settle();
        vi.advanceTimersByTime(1_000);
      }
      expect(await failure).toMatchObject({ code: 'ERR_BODY_TIMEOUT' });
    });
  });
});
