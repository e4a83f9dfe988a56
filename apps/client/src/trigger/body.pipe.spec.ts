import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';

import { describe, expect, it } from 'vitest';

import { MAX_MESSAGE_BYTES } from './body.js';
import { BodyPipe, MAX_HELD_BYTES } from './body.pipe.js';

const OCTETS = { 'content-type': 'application/octet-stream' };

function requestWith(headers: Readonly<Record<string, string>>): IncomingMessage {
  const request = new IncomingMessage(new Socket());
  Object.assign(request.headers, headers);
  return request;
}

describe('a body that is read', () => {
  it('is the same however it is split', async () => {
    const request = requestWith(OCTETS);
    for (const byte of Buffer.from('bytes')) request.push(Buffer.of(byte));
    request.push(null);
    expect(await new BodyPipe().transform(request)).toEqual(Buffer.from('bytes'));
  });

  it('may be as large as a message', async () => {
    const request = requestWith({ ...OCTETS, 'content-length': String(MAX_MESSAGE_BYTES) });
    request.push(Buffer.alloc(MAX_MESSAGE_BYTES));
    request.push(null);
    expect(await new BodyPipe().transform(request)).toHaveLength(MAX_MESSAGE_BYTES);
  });

  it('is refused by the announced length alone', async () => {
    const request = requestWith({ ...OCTETS, 'content-length': String(MAX_MESSAGE_BYTES + 1) });
    await expect(new BodyPipe().transform(request)).rejects.toMatchObject({ code: 'ERR_BODY_TOO_LARGE' });
  });

  it('is answered only when the caller has written all of it, so that he reads why it is too large', async () => {
    const request = requestWith(OCTETS);
    request.push(Buffer.alloc(MAX_MESSAGE_BYTES + 1));
    let isRefused = false;
    const refused = new BodyPipe().transform(request).catch((error: unknown) => {
      isRefused = true;
      return error;
    });
    for (let turns = 0; turns < 10; turns++) await new Promise((resolve) => setImmediate(resolve));
    expect(isRefused).toBe(false);
    request.push(null);
    expect(await refused).toMatchObject({ code: 'ERR_BODY_TOO_LARGE' });
  });

  it('is refused though it never ends, and the rest let go by', async () => {
    const request = requestWith(OCTETS);
    request.push(Buffer.alloc(MAX_MESSAGE_BYTES + 1));
    await expect(new BodyPipe().transform(request)).rejects.toMatchObject({ code: 'ERR_BODY_TOO_LARGE' });
    expect(request.readableFlowing).toBe(true);
  });

  it('is refused where it breaks off', async () => {
    const request = requestWith({ ...OCTETS, 'content-length': '10' });
    request.push(Buffer.alloc(5));
    const body = new BodyPipe().transform(request);
    request.destroy(new Error('aborted'));
    await expect(body).rejects.toMatchObject({ code: 'ERR_BAD_BODY', message: 'The body broke off' });
  });

  it('is refused where it is compressed', async () => {
    const request = requestWith({ ...OCTETS, 'content-encoding': 'gzip' });
    await expect(new BodyPipe().transform(request)).rejects.toMatchObject({ code: 'ERR_MEDIA_TYPE' });
  });

  describe('beside too many others', () => {
    /** Bodies that lack one byte each, all but the last of which fill what may be held. */
    function fill(pipe: BodyPipe): { readonly requests: IncomingMessage[]; readonly bodies: Promise<unknown>[] } {
      const requests = Array.from({ length: MAX_HELD_BYTES / MAX_MESSAGE_BYTES + 1 }, () => requestWith(OCTETS));
      const bodies = requests.map((request) => pipe.transform(request));
      for (const request of requests.slice(0, -1)) request.push(Buffer.alloc(MAX_MESSAGE_BYTES - 1));
      return { requests, bodies };
    }

    it('is refused at once, and the rest let go by', async () => {
      const { requests, bodies } = fill(new BodyPipe());
      const late = requests.at(-1);
      late?.push(Buffer.alloc(100));
      await expect(bodies.at(-1)).rejects.toMatchObject({ code: 'ERR_BUSY' });
      expect(late?.readableFlowing).toBe(true);
      for (const request of requests.slice(0, -1)) request.push(null);
      expect(await Promise.all(bodies.slice(0, -1))).toHaveLength(bodies.length - 1);
    });

    it.each([
      ['been read', (request: IncomingMessage) => void request.push(null)],
      ['broken off', (request: IncomingMessage) => void request.destroy()],
      ['become too large', (request: IncomingMessage) => void (request.push(Buffer.alloc(2)) && request.push(null))],
    ])('is read again once one of them has %s', async (_, end) => {
      const { requests, bodies } = fill(new BodyPipe());
      const [first] = requests;
      if (first !== undefined) end(first);
      await bodies[0]?.catch(() => undefined);
      const late = requests.at(-1);
      late?.push(Buffer.alloc(100));
      late?.push(null);
      expect(await bodies.at(-1)).toHaveLength(100);
    });
  });
});
