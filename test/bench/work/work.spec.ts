import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../peers/digest.js';
import { bytesPayload, isEcho, makePayload } from '../payload.js';
import type { ConnectedClient, Done } from '../peer.js';
import { runConnect } from './connect.js';
import { runEcho } from './echo.js';
import { runEvents } from './events.js';
import { runHash } from './hash.js';
import { runIdle } from './idle.js';
import { runStream } from './stream.js';
import { runBeside } from './beside.js';

const SMALL = { as: 'json', payloadBytes: 64 } as const;
const BESIDE = { kind: 'beside', transfer: 'message', transferBytes: 1024 } as const;

/** Answers in the next turn, with what `answer` makes of the payload. */
function clientOf(answer: (payload: unknown) => unknown): ConnectedClient {
  return { request: (payload, done) => void setImmediate(done, undefined, answer(payload)), close: () => undefined };
}

const echoing = clientOf((payload) => structuredClone(payload));

describe('a payload', () => {
  it.each([64, 256, 4096, 65_536])('is exactly %i bytes of JSON', (payloadBytes) => {
    for (const as of ['json', 'fields'] as const) {
      expect(Buffer.byteLength(JSON.stringify(makePayload({ as, payloadBytes })))).toBe(payloadBytes);
    }
  });

  it('of small fields is recognized by every one of them', () => {
    const payload = makePayload({ as: 'fields', payloadBytes: 4096 }) as { rows: { name: string }[] };
    const answer = structuredClone(payload);
    expect(payload.rows.length).toBeGreaterThan(80);
    expect(isEcho(answer, payload)).toBe(true);
    answer.rows.splice(7, 1, { ...answer.rows[7], name: 'another' });
    expect(isEcho(answer, payload)).toBe(false);
    expect(isEcho({ rows: payload.rows.slice(1) }, payload)).toBe(false);
    expect(isEcho({}, payload)).toBe(false);
  });

  it('is recognized in the form that a JSON transport gives to bytes', () => {
    const payload = bytesPayload(1000);
    const answer: unknown = JSON.parse(JSON.stringify(payload));
    expect(isEcho(answer, payload)).toBe(true);
    expect(isEcho(answer, bytesPayload(999))).toBe(false);
    expect(isEcho(Buffer.alloc(1000), payload)).toBe(false);
  });

  it('is not recognized without its text', () => {
    expect(isEcho({}, makePayload(SMALL))).toBe(false);
    expect(isEcho(undefined, undefined)).toBe(false);
  });
});

describe('echoes', () => {
  it('keep their number of concurrent requests and wait for the last answer', async () => {
    let underWay = 0;
    let most = 0;
    const client = {
      request: (payload: unknown, done: Done): void => {
        most = Math.max(most, ++underWay);
        setImmediate(() => {
          underWay--;
          done(undefined, structuredClone(payload));
        });
      },
    };
    const { latenciesMs } = await runEcho(client, { inFlight: 8, ...SMALL }, 0);
    expect({ most, underWay, answers: latenciesMs.length }).toEqual({ most: 8, underWay: 0, answers: 8 });
  });

  it('refuse an answer that differs from the request', async () => {
    await expect(
      runEcho(
        clientOf(() => ({})),
        { inFlight: 1, ...SMALL },
        0,
      ),
    ).rejects.toThrow('not what was sent');
  });
});

describe('digests', () => {
  const answering = (answer: (text: string) => string): Pick<ConnectedClient, 'hash'> => ({
    hash: (text, done) => void setImmediate(done, undefined, answer(text)),
  });

  it('are counted', async () => {
    expect(await runHash(answering(digestOf), 4, 0)).toMatchObject({ units: 4 });
  });

  it('refuse an answer that is another one', async () => {
    await expect(
      runHash(
        answering((text) => text),
        4,
        0,
      ),
    ).rejects.toThrow('not the digest');
  });
});

describe('streams', () => {
  const stream = (values: readonly unknown[]): Pick<ConnectedClient, 'stream'> => ({
    stream: (_ask, next, done) =>
      void setImmediate(() => {
        values.forEach((value) => next(value));
        done(undefined);
      }),
  });

  it('count every value', async () => {
    expect(await runStream(stream([0, 1, 2]), 3, 0)).toMatchObject({ units: 3 });
  });

  it.each([
    ['a value too few', [0, 1]],
    ['a value twice', [0, 1, 1, 2]],
    ['another order', [0, 2, 1]],
  ])('refuse %s', async (_, values) => {
    await expect(runStream(stream(values), 3, 0)).rejects.toThrow('not what was asked for');
  });
});

describe('events', () => {
  it('end when the server has received every one of them', async () => {
    let given = 5; // from an earlier run
    const client: ConnectedClient = {
      ...echoing,
      emit: (_payload, done) => {
        setImmediate(done, undefined);
        setTimeout(() => given++, 20);
      },
      countEvents: (done) => void setImmediate(done, undefined, given),
    };
    expect(await runEvents(client, { inFlight: 4, ...SMALL }, 0)).toMatchObject({ units: 4 });
    expect(given).toBe(9);
  });
});

describe('connections', () => {
  it('are answered once and closed', async () => {
    let open = 0;
    const connect = (): Promise<ConnectedClient> => {
      open++;
      return Promise.resolve({ ...echoing, close: () => void open-- });
    };
    const { units } = await runConnect(connect, { durationMs: 5, connections: 1 });
    expect(units).toBeGreaterThan(0);
    expect(open).toBe(0);
  });

  it('are opened in the requested number, however short the time is', async () => {
    expect(await runConnect(() => Promise.resolve(echoing), { durationMs: 0, connections: 20 })).toMatchObject({
      units: 20,
    });
  });

  it('that stay are all held', async () => {
    let open = 0;
    const connect = (): Promise<ConnectedClient> => Promise.resolve({ ...echoing, close: () => void open-- });
    expect(await runIdle(connect, 100)).toMatchObject({ units: 100 });
    expect(open).toBe(0);
  });

  it('report how many could be held if not all could', async () => {
    let dialed = 0;
    const connect = (): Promise<ConnectedClient> =>
      ++dialed > 40 ? Promise.reject(new Error('no more files')) : Promise.resolve(echoing);
    await expect(runIdle(connect, 100)).rejects.toThrow(/^after \d+ of 100 connections: no more files$/u);
  });
});

describe('small requests next to a transfer', () => {
  it('continue until it is done', async () => {
    const { units, beside } = await runBeside(echoing, BESIDE, 0);
    expect(units).toBeGreaterThan(0);
    expect(beside?.idleLatenciesMs).toHaveLength(1);
  });

  it('fail with it, and end', async () => {
    let asked = 0;
    const client = clientOf((payload) => {
      asked++;
      return payload instanceof Uint8Array ? Buffer.alloc(1) : payload;
    });
    await expect(runBeside(client, BESIDE, 0)).rejects.toThrow('not what was sent');
    for (let turn = 0; turn < 3; turn++) await nextTurn(); // until what was under way has been answered
    const atTheEnd = asked;
    for (let turn = 0; turn < 10; turn++) await nextTurn();
    expect(asked).toBe(atTheEnd);
  });
});
