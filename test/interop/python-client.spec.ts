// The client of clients/python with our server: every part of the protocol that one of the two can cause.
import { createHash } from 'node:crypto';
import { text } from 'node:stream/consumers';

import type { ReadPacket } from '@nestjs/microservices';
import { generateKey } from '@sealwire/crypto';
import type { SealwireServer, SealwireServerOptions } from '@sealwire/transport';
import { map, NEVER, Observable, of, range, throwError } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { endAll, portOf, startServer } from '../support/pair.js';
import { python, PythonPrograms } from '../support/python.js';
import type { Call, PythonClient } from '../support/python.js';

const KIB = 1024;
/** A key is replaced as soon as the protocol lets it be, and PINGs are frequent. */
const EAGER = { limits: { key: { softRecords: 65 } }, timeouts: { pingIntervalMs: 50 } };
const EAGER_CLIENT = ['--key-records', '65', '--ping', '0.05', '--tick', '0.05'];
/** An error of the application that looks like one of the transport. */
const LOOKALIKE = { status: 'error', message: 'of the application', code: 'ERR_OVERLOADED' };

const LONG = 'x'.repeat(2000);
/** Texts that are not cut out of JSON, or not for their usual key, or that a decoder could change. */
const UNUSUAL: readonly unknown[] = [`\uFEFF${LONG}`, `\uD800${LONG}`, { '': LONG }, { text: `\uD800${LONG}` }];

/** What is a pattern, of which both ends make the same text. */
const PATTERNS: readonly unknown[] = [
  { aB: 1, a_b: 2, AB: 3, B: 4, a: 5, 10: 6, 9: 7, 'a-b': 8, 'a b': 9 },
  { 'q"': 'back\\slash "', flag: true, none: null },
  { large: 1e21, small: 1.5e-7, tenth: -0.1, long: 2 ** 53 },
  { a: { a: { a: { a: { a: { a: {} } } } } } },
  Object.fromEntries(Array.from({ length: 21 }, (_, at) => [`key${at}`, at])),
  [1, 'x'],
  7,
];

/** Handlers that are open, and how many were open at the same time. */
class Places {
  open = 0;
  most = 0;

  take(): void {
    this.most = Math.max(this.most, ++this.open);
  }
}

function addHandlers(server: SealwireServer, places: Places): void {
  const add = (pattern: unknown, handler: (data: unknown) => Observable<unknown>): void =>
    server.addHandler(pattern, (data: unknown) => Promise.resolve(handler(data)));
  add('numbers', (count) => range(0, Number(count)));
  add('fail', (data) => throwError(() => data));
  add('absent', (data) => of(data === undefined ? undefined : 'not absent'));
  add('bigint', () => of(1n));
  add('bytes', (bytes) => of(Buffer.alloc(Number(bytes))));
  add('flood', () => range(0, 200).pipe(map(() => Buffer.alloc(60 * KIB))));
  add('never', () => NEVER);
  PATTERNS.forEach((pattern, at) => add(pattern, () => of(at)));
  add('open', () => {
    places.take();
    return new Observable((subscriber) => {
      subscriber.next('open');
      return () => void places.open--;
    });
  });
  add('turn', () => {
    places.take();
    return new Observable((subscriber) => {
      setImmediate(() => {
        places.open--;
        subscriber.next('done');
        subscriber.complete();
      });
    });
  });
}

/** What the Python client makes of `fill-bytes`. */
function patternedBytes(count: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: count }, (_, at) => at % 251));
}

/** What it prints in place of bytes. */
function digestOf(bytes: Buffer): object {
  return { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

describe.skipIf(python === undefined)('the Python client', () => {
  let programs: PythonPrograms;
  /** What most tests use, as every process takes a while to start. */
  let server: SealwireServer;
  let client: PythonClient;
  const places = new Places();
  const notes: unknown[] = [];

  beforeAll(async () => {
    programs = new PythonPrograms();
    server = await serve({ ...EAGER, limits: { ...EAGER.limits, maxInFlight: 4 }, rejectSelf: true }, places);
    server.addHandler('note', (data: unknown) => Promise.resolve(notes.push(data)), true);
    client = programs.client(portOf(server), '--reject-self', ...EAGER_CLIENT);
  });

  afterAll(async () => {
    await endAll();
    programs.remove();
  });

  async function serve(options: Partial<SealwireServerOptions> = {}, taken = new Places()): Promise<SealwireServer> {
    const started = await startServer(options);
    addHandlers(started, taken);
    return started;
  }

  it('sends and accepts every encoding, in one frame and in fragments', async () => {
    const [long, withText] = ['ü'.repeat(600), { n: 1, text: 'é'.repeat(600), none: null }];
    const bytes = patternedBytes(200_000);
    const expected: readonly [Omit<Call, 'pattern'>, unknown][] = [
      [{ data: { a: [1, 'ü', true, -0.5e-7] } }, { a: [1, 'ü', true, -0.5e-7] }],
      [{ data: null }, null],
      [{ data: long }, long],
      [{ data: withText }, withText],
      ...UNUSUAL.map((data): [Omit<Call, 'pattern'>, unknown] => [{ data }, data]),
      [{ fill: 40_000 }, 'é'.repeat(40_000)],
      [{ 'fill-bytes': bytes.length }, digestOf(bytes)],
    ];
    const answers = await Promise.all(expected.map(([data]) => client.send({ pattern: 'echo', ...data })));
    expect(answers).toEqual(expected.map(([, value]) => ({ values: [value] })));
    expect(await client.send({ pattern: 'absent' })).toEqual({ values: [{ absent: true }] });
  });

  it('normalizes a pattern to the same text as ours', async () => {
    const answers = await Promise.all(PATTERNS.map((pattern) => client.send({ pattern })));
    expect(answers).toEqual(PATTERNS.map((_, at) => ({ values: [at] })));
  });

  it('reads streams, and cancels them [R6.15]', async () => {
    const numbers = Array.from({ length: 1000 }, (_, at) => at);
    expect(await client.send({ pattern: 'numbers', data: 1000 })).toEqual({ values: numbers });
    expect(await client.send({ pattern: 'open', take: 1 })).toEqual({ values: ['open'] });
    await expect.poll(() => places.open).toBe(0);
    const open = client.send({ pattern: 'open' });
    await expect.poll(() => places.open).toBe(1);
    client.cancelLast();
    expect(await open).toEqual({ values: ['open'], cancelled: true });
    await expect.poll(() => places.open).toBe(0);
  });

  it('respects the in-flight limit of the server [R6.16]', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.send({ pattern: 'turn' })));
    expect(answers).toEqual(answers.map(() => ({ values: ['done'] })));
    expect(places.most).toBeLessThanOrEqual(4);
  });

  it('gets an ACK for its events [R6.14]', async () => {
    const events = Array.from({ length: 50 }, (_, at) => at); // many times the places
    const answers = await Promise.all(events.map((data) => client.emit({ pattern: 'note', data })));
    expect(answers).toEqual(events.map(() => ({ values: [] })));
    expect(await client.emit({ pattern: 'note', fill: 60_000 })).toEqual({ values: [] });
    expect(await client.emit({ pattern: 'nobody', data: 1 })).toEqual({ values: [] });
    expect(notes).toEqual([...events, 'é'.repeat(60_000)]);
  });

  it('reports the bulk it has taken, and continues by the reports of the server [R5.29, R5.31, R5.34]', async () => {
    const many = Buffer.alloc(6144 * KIB);
    expect(await client.send({ pattern: 'bytes', data: many.length })).toEqual({ values: [digestOf(many)] });
    expect(await client.records('sent', '08')).toBeGreaterThan(0);
    const own = patternedBytes(1_000_000);
    const echoes = await Promise.all([1, 2].map(() => client.send({ pattern: 'echo', 'fill-bytes': own.length })));
    expect(echoes).toEqual([{ values: [digestOf(own)] }, { values: [digestOf(own)] }]);
    expect(await client.records('read', '08')).toBeGreaterThan(0);
  });

  it('updates its key, and follows the updates of the server [R5.7]', async () => {
    const [sent, read] = [await client.records('sent', '02'), await client.records('read', '02')];
    for (let n = 0; n < 140; n++) expect(await client.send({ pattern: 'echo', data: n })).toEqual({ values: [n] });
    expect(await client.records('sent', '02')).toBeGreaterThan(sent + 1);
    expect(await client.records('read', '02')).toBeGreaterThan(read + 1);
  });

  it('gets answers to its PINGs, and answers those of the server [R5.11]', async () => {
    await client.send({ pattern: 'echo', data: 1 });
    await expect.poll(() => client.records('read', '06')).toBeGreaterThan(0);
    await expect.poll(() => server.snapshot().roundTripMs).toBeGreaterThan(0);
  });

  it('gets the code of each failure, continues, and closes gracefully [R5.22, R6.3, R6.33, R6.34]', async () => {
    const deserialize = (packet: ReadPacket): unknown => {
      if (packet.pattern === 'unreadable') throw new Error('not today');
      return packet;
    };
    const limited = await serve({
      limits: { maxJsonNodes: 10, maxQueuedBytes: 8192 * KIB },
      deserializer: { deserialize },
    });
    const ended: unknown[] = [];
    limited.connectionEvents.subscribe((event) => {
      if (event.type === 'closed' || event.type === 'refused') ended.push(event.error);
    });
    const strict = programs.client(portOf(limited), '--max-message', String(64 * KIB));
    const malformed = { code: 'ERR_MESSAGE_MALFORMED', message: 'The message is malformed' };
    const calls: readonly [Call, object][] = [
      [{ pattern: 'fail', data: { status: 'error', reason: 7 } }, { error: { status: 'error', reason: 7 } }],
      [{ pattern: 'fail', data: LOOKALIKE }, { error: { ...LOOKALIKE, application: true } }],
      [{ pattern: 'nobody' }, { error: 'There is no matching message handler defined in the remote service.' }],
      [{ pattern: 'echo', raw: '' }, malformed],
      [{ pattern: 'echo', raw: '05' }, malformed], // no such encoding
      [{ pattern: 'echo', raw: '007b' }, malformed], // {
      [{ pattern: 'echo', raw: '0200' }, malformed], // bytes after the absent value
      [{ pattern: 'echo', raw: '04ff' }, malformed], // not UTF-8
      [{ pattern: 'echo', raw: '03000161000000027b7d' }, malformed], // {} has no member a
      [{ pattern: 'echo', data: JSON.parse('{"__proto__":1}') as unknown }, malformed],
      [{ pattern: 'echo', data: Array(40_000).fill(0) }, { code: 'ERR_MESSAGE_TOO_COMPLEX' }],
      [{ pattern: 'never', timeout: 1 }, { code: 'ERR_REQUEST_TIMEOUT' }],
      [{ pattern: 'bigint' }, { code: 'ERR_MESSAGE_UNSERIALIZABLE' }],
      [{ pattern: 'bytes', data: 64 * KIB }, { code: 'ERR_MESSAGE_TOO_LARGE' }],
      [{ pattern: 'flood' }, { code: 'ERR_ANSWER_OVERFLOW' }],
    ];
    for (const [call, failure] of calls) expect(await strict.send(call), JSON.stringify(call)).toMatchObject(failure);
    expect(await strict.emit({ pattern: 'unreadable', data: 1 })).toMatchObject(malformed);
    expect(await strict.send({ pattern: 'echo', data: 'still there' })).toEqual({ values: ['still there'] });
    expect(limited.snapshot().accepted).toBe(1);
    expect(await strict.close()).toMatchObject({ stats: { 'sent 03': 1, 'read 03': 1 } });
    await expect.poll(() => ended).toEqual([undefined]);
  });

  it('is refused if there is no place for its handler [R6.17]', async () => {
    const taken = new Places();
    const refused = programs.client(portOf(await serve({ limits: { maxRunning: 1 } }, taken)));
    void refused.send({ pattern: 'open' });
    await expect.poll(() => taken.open).toBe(1);
    expect(await refused.send({ pattern: 'open' })).toMatchObject({ code: 'ERR_OVERLOADED' });
    expect(await refused.emit({ pattern: 'nobody', data: 1 })).toEqual({ values: [] });
  });

  it('finishes open calls when the server drains, and closes with it [R5.16]', async () => {
    const draining = await serve({ timeouts: { drainMs: 20_000 } });
    let finish = (): void => undefined;
    const finished = new Promise<string>((resolve) => (finish = () => resolve('finished')));
    let isAsked = false;
    draining.addHandler('last', () => {
      isAsked = true;
      return finished;
    });
    const last = programs.client(portOf(draining));
    const answer = last.send({ pattern: 'last' });
    await expect.poll(() => isAsked).toBe(true);
    const closed = draining.close();
    await expect.poll(() => last.records('read', '04')).toBe(1);
    finish();
    expect(await answer).toEqual({ values: ['finished'] });
    await closed;
    expect(await last.close()).toMatchObject({ stats: { 'sent 04': 1, 'read 03': 1, 'sent 03': 1 } });
  });

  it.each([
    ['at its own age', {}, ['--session-age', '1', '--tick', '0.05']],
    ['when the server requests it', { timeouts: { sessionSoftAgeMs: 1000 } }, []],
  ])('renews its session %s, without a lost call [R5.36]', async (_, options, limits) => {
    const taken = new Places();
    const old = await serve(options, taken);
    const renewing = programs.client(portOf(old), ...limits);
    const open = renewing.send({ pattern: 'open' });
    await expect.poll(() => taken.open).toBe(1);
    let answered = 0;
    await expect
      .poll(async () => {
        expect(await renewing.send({ pattern: 'echo', data: ++answered })).toEqual({ values: [answered] });
        return renewing.records('sent', '04');
      })
      .toBeGreaterThan(0);
    expect(await renewing.send({ pattern: 'echo', data: 'moved' })).toEqual({ values: ['moved'] });
    expect(taken.open).toBe(1); // on the old connection
    await renewing.close();
    expect(old.snapshot().accepted).toBeGreaterThan(1);
    expect(await open).toEqual({ values: ['open'], cancelled: true });
    await expect.poll(() => old.snapshot().connections).toBe(0);
    expect(old.snapshot().connectionsFailed).toBe(0);
  });

  it('gets an error from a server that shuts down, which says whether its handler ran [R5.28]', async () => {
    const deserialize = (packet: ReadPacket): unknown =>
      packet.pattern === 'waits' ? new Promise(() => undefined) : packet;
    const taken = new Places();
    const ending = await serve({ deserializer: { deserialize }, timeouts: { drainMs: 1 } }, taken);
    const caller = programs.client(portOf(ending));
    const [cut, waiting] = [caller.send({ pattern: 'open' }), caller.send({ pattern: 'waits' })];
    const event = caller.emit({ pattern: 'waits', data: 1 });
    await expect.poll(() => [taken.open, ending.snapshot().inFlight]).toEqual([1, 3]);
    await ending.close();
    expect(await cut).toMatchObject({ code: 'ERR_STREAM_CUT' });
    expect(await waiting).toMatchObject({ code: 'ERR_SHUTTING_DOWN' });
    expect(await event).toMatchObject({ code: 'ERR_SHUTTING_DOWN' });
  });

  it('receives the alert for another key and for another service [R4.17]', async () => {
    const strangers = [
      programs.start('send', programs.writeKey('other', generateKey()), `127.0.0.1:${portOf(server)}`, 'echo', '1'),
      programs.start('send', programs.keyFile, '--service', 'other', `127.0.0.1:${portOf(server)}`, 'echo', '1'),
    ];
    // At once: what a program has printed is thrown away when it ends, unless it is being read.
    const outputs = strangers.flatMap(({ stdout }) => (stdout === null ? [] : [text(stdout)]));
    for (const printed of await Promise.all(outputs)) expect(printed).toMatch(/"failure":.*alert/u);
    expect(outputs).toHaveLength(2);
  });
});
