// Our client with the server of clients/python: every part of the protocol that one of the two can cause.
import { once } from 'node:events';
import { connect } from 'node:net';

import { firstValueFrom, take } from 'rxjs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SealwireRecordBuilder } from '@sealwire/transport';
import type { SealwireClient } from '@sealwire/transport';

import { all, arrived, outcome } from '../support/application.js';
import { endAll, newClient, newKeyring, portOf, startServer } from '../support/pair.js';
import { python, PythonPrograms, stop } from '../support/python.js';

const KIB = 1024;
const ALERT = Buffer.from('e1534c5701ff0000', 'hex');
/** A key is replaced as soon as the protocol lets it be, and the first PING goes immediately. */
const EAGER = { limits: { key: { softRecords: 65 } }, timeouts: { pingIntervalMs: 50 } };
const LONG = 'x'.repeat(2000);
/** Texts that are not cut out of JSON, or not for their usual key, or that a decoder could change. */
const UNUSUAL: readonly unknown[] = [`\uFEFF${LONG}`, `\uD800${LONG}`, { '': LONG }, { text: `\uD800${LONG}` }];
/** An error of the application that looks like one of the transport. */
const LOOKALIKE = { status: 'error', message: 'of the application', code: 'ERR_OVERLOADED' };
const EAGER_SERVER = ['--key-records', '65', '--ping', '0.05', '--tick', '0.05'];

describe.skipIf(python === undefined)('the Python server', () => {
  let programs: PythonPrograms;
  /** What most tests use, as every process takes a while to start. */
  let port: number;

  beforeAll(async () => {
    programs = new PythonPrograms();
    ({ port } = await programs.serve('--reject-self', ...EAGER_SERVER));
  });
  afterEach(endAll);
  afterAll(() => programs.remove());

  /** How many records of a type the server has `sent` or `read`. */
  async function records(client: SealwireClient, direction: 'sent' | 'read', type: string): Promise<number> {
    const counts = await firstValueFrom(client.send<Record<string, number>>('records', {}));
    return counts[`${direction} ${type}`] ?? 0;
  }

  it('accepts and sends every encoding, in one frame and in fragments', async () => {
    const client = newClient(port);
    const values = [
      { a: [1, 'ü', true, -0.5e-7] },
      'ü'.repeat(600),
      { n: 1, text: 'é'.repeat(600), none: null },
      ...UNUSUAL,
      'é'.repeat(40_000),
      Buffer.from(Uint8Array.from({ length: 200_000 }, (_, at) => at % 251)),
    ];
    const answers = await Promise.all(values.map((value) => firstValueFrom(client.send('echo', value))));
    expect(answers).toEqual(values);
    const record = new SealwireRecordBuilder({ n: 1 }).setMetadata({ trace: 'ü' }).build();
    const described = { pattern: 'describe', metadata: { trace: 'ü' }, data: { n: 1 } };
    expect(await firstValueFrom(client.send('describe', record))).toEqual(described);
    expect(await firstValueFrom(client.send('describe', 'x'))).toMatchObject({ metadata: null, data: 'x' });
    expect(await firstValueFrom(client.send({ b: 'x', a: 1 }, {}))).toBe('{"a":1,"b":"x"}');
  });

  it('streams, and ends a handler when its caller cancels [R6.15]', async () => {
    const client = newClient(port);
    expect(await all(client.send('count', 1000))).toEqual(Array.from({ length: 1000 }, (_, at) => at));
    expect(await all(client.send('count', 1e9).pipe(take(3)))).toEqual([0, 1, 2]);
    const cancels = await firstValueFrom(client.send<number>('cancels', {}));
    const subscription = client.send('slow', {}).subscribe();
    await firstValueFrom(client.send('echo', 1)); // goes out behind it
    subscription.unsubscribe();
    await expect.poll(() => firstValueFrom(client.send('cancels', {}))).toBe(cancels + 1);
  });

  it('hands each event over once, acknowledges it, and closes with the client', async () => {
    const client = newClient(port);
    const events = ['a', 'b', 'c', 'é'.repeat(60_000)];
    for (const event of events) await arrived(client.emit('note', event));
    await arrived(client.emit('nobody', 1));
    expect(await firstValueFrom(client.send('notes', {}))).toEqual(events);
    const seen: unknown[] = [];
    client.connectionEvents.subscribe((event) => seen.push(event));
    await client.close();
    expect(seen).toEqual([{ type: 'disconnected', server: expect.any(String) as string, error: undefined }]);
  });

  it('reports the bulk it has taken, and continues by the reports of the client [R5.29, R5.31, R5.34]', async () => {
    const client = newClient(port);
    const [sent, read] = [await records(client, 'sent', '08'), await records(client, 'read', '08')];
    const text = 'x'.repeat(3_000_000);
    const echoes = await Promise.all([1, 2, 3].map(() => firstValueFrom(client.send<string>('echo', text))));
    expect(echoes.every((echo) => echo === text)).toBe(true);
    expect(await records(client, 'sent', '08')).toBeGreaterThan(sent);
    expect(await records(client, 'read', '08')).toBeGreaterThan(read);
  });

  it('updates its key, follows the updates of the client, and answers and sends PINGs [R5.7, R5.11]', async () => {
    const client = newClient(port, EAGER);
    const [sent, read] = [await records(client, 'sent', '02'), await records(client, 'read', '02')];
    for (let n = 0; n < 140; n++) expect(await firstValueFrom(client.send('echo', n))).toBe(n);
    expect(await records(client, 'sent', '02')).toBeGreaterThan(sent + 1);
    expect(await records(client, 'read', '02')).toBeGreaterThan(read + 1);
    await expect.poll(() => records(client, 'read', '06')).toBeGreaterThan(0);
    await expect.poll(() => client.snapshot().roundTripMs).toBeGreaterThan(0);
  });

  it('sends only the alert to a stranger, as ours does [R4.17]', async () => {
    for (const options of [{ keyring: newKeyring() }, { service: 'other' }]) {
      await expect(newClient(port, options).connect()).rejects.toMatchObject({ code: 'ERR_ALERT' });
    }
    for (const each of [port, portOf(await startServer())]) {
      const socket = connect({ port: each, host: '127.0.0.1' });
      socket.end('GET / HTTP/1.1\r\n\r\n');
      const chunks: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => undefined);
      await once(socket, 'close');
      expect(Buffer.concat(chunks)).toEqual(ALERT);
    }
    expect(await firstValueFrom(newClient(port, { rejectSelf: true }).send('echo', 1))).toBe(1);
  });

  it.each([
    ['at the age of the client', [], { timeouts: { sessionSoftAgeMs: 1000 } }],
    ['when it requests it itself', ['--goaway-age', '1', '--tick', '0.05'], {}],
  ])('has its session renewed %s, without a lost call [R5.36]', async (_, limits, options) => {
    const server = await programs.serve(...limits);
    const client = newClient(server.port, options);
    const events: string[] = [];
    client.connectionEvents.subscribe(({ type }) => events.push(type));
    const failures: unknown[] = [];
    const open = client.send('slow', {}).subscribe({ error: (error) => failures.push(error) });
    let answered = 0;
    await expect
      .poll(async () => {
        expect(await firstValueFrom(client.send('echo', ++answered))).toBe(answered);
        return records(client, 'read', '04');
      })
      .toBeGreaterThan(0);
    expect(await firstValueFrom(client.send('echo', 'moved'))).toBe('moved');
    expect(client.snapshot().connections).toBeGreaterThan(1); // the old one has an open call
    open.unsubscribe();
    await client.close();
    const { status, failures: lost } = await stop(server);
    expect({ status, lost, failures }).toEqual({ status: 0, lost: [], failures: [] });
    expect(events).not.toContain('failed');
  });

  it('answers each failure with its code, continues, and closes gracefully [R5.28, R6.14, R6.33, R6.34]', async () => {
    const limits = ['--max-in-flight', '2', '--memory', '70000', '--max-waiting', '100000', '--drain', '0.2'];
    const server = await programs.serve('--forbid', 'secret', '--quiet', ...limits);
    const client = newClient(server.port);
    let nested: unknown = 0;
    for (let depth = 0; depth < 1500; depth++) nested = [nested];
    expect({ ...((await outcome(client.send('fail', { reason: 7 }))) as object) }).toEqual({ reason: 7 });
    const marked = { ...LOOKALIKE, application: true };
    expect({ ...((await outcome(client.send('fail', LOOKALIKE))) as object) }).toEqual(marked);
    const unknown = 'There is no matching message handler defined in the remote service.';
    expect(await outcome(client.send('nobody', 1))).toBe(unknown);
    const forbidden = { code: 'ERR_FORBIDDEN', sent: false };
    const overloaded = { code: 'ERR_OVERLOADED', sent: false };
    expect(await outcome(client.send('secret', 1))).toMatchObject(forbidden);
    expect(await outcome(client.emit('secret', 1))).toMatchObject(forbidden);
    expect(await outcome(client.send('echo', 'é'.repeat(200_000)))).toMatchObject(overloaded);
    expect(await outcome(client.emit('note', 'é'.repeat(200_000)))).toMatchObject(overloaded);
    expect(await outcome(client.send('echo', nested))).toMatchObject({ code: 'ERR_MESSAGE_TOO_COMPLEX' });
    expect(await outcome(client.send('nan', 1))).toMatchObject({ code: 'ERR_MESSAGE_UNSERIALIZABLE' });
    const bulk = await Promise.all([1, 2].map(() => outcome(client.send('bytes', 1000 * KIB))));
    expect(bulk).toContainEqual(expect.objectContaining({ code: 'ERR_ANSWER_OVERFLOW' }));
    const inTime = new SealwireRecordBuilder({}).setTimeoutMs(20).build();
    expect(await outcome(client.send('slow', inTime))).toMatchObject({ code: 'ERR_REQUEST_TIMEOUT' });
    await expect.poll(() => firstValueFrom(client.send('cancels', {}))).toBe(1);

    const strict = newClient(server.port, { limits: { maxMessageBytes: 64 * KIB } });
    expect(await outcome(strict.send('bytes', 64 * KIB))).toMatchObject({ code: 'ERR_MESSAGE_TOO_LARGE' });
    await strict.close();

    const numbers = Array.from({ length: 20 }, (_, at) => at); // two at a time
    await Promise.all(numbers.map((n) => arrived(client.emit('note', n))));
    expect(await firstValueFrom(client.send('notes', {}))).toEqual(numbers);
    expect(await Promise.all(numbers.map((n) => firstValueFrom(client.send('echo', n))))).toEqual(numbers);
    expect(client.snapshot().connected).toBe(1);

    const events: string[] = [];
    client.connectionEvents.subscribe(({ type }) => events.push(type));
    const cut = outcome(client.send('slow', {}));
    await firstValueFrom(client.send('echo', 1)); // goes out behind it
    const { status, stats, failures } = await stop(server);
    expect(await cut).toMatchObject({ code: 'ERR_STREAM_CUT' });
    expect({ status, failures }).toEqual({ status: 0, failures: [] });
    expect(stats).toMatchObject({ 'sent 04': 1, 'read 04': 1, 'sent 03': 2, 'read 03': 2 });
    expect(events).toEqual(['draining']);
  });
});
