import { Socket } from 'node:net';

import { describe, expect, it } from 'vitest';

import { FakeClock } from '../../../../test/support/fake-clock.js';
import { asReceived, bytesOf, drainFrames, plainFrame } from '../../../../test/support/frames.js';
import { clock } from '../clock.js';
import { encodePlainCall } from '../sending/plain-message.js';
import { EventWindow } from '../streams/events/event-window.js';
import { ServerStreams } from '../streams/server-streams.js';
import { RunningInConnection } from './running-in-connection.js';
import { RunningInServer } from './running-in-server.js';
import { PlainHandler } from './plain-handler.js';
import type { PlainRequest } from './plain-handler.js';
import { Peer } from './server-link.js';

const OWN = { maxMessageBytes: 1_000_000, maxIncompleteBytes: 1e6, maxIncompleteBytesTotal: Infinity, maxInFlight: 8 };
const PEER = new Peer(new Socket(), { keyId: Buffer.alloc(8), holder: {}, instanceKey: Buffer.alloc(32) });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Waiting extends PlainRequest {
  readonly settle: () => void;
}

/** Of one connection, and by default of a server with room for more. */
const limitOf = (
  maxRunning: number,
  maxRunningBytes: number,
  total = new RunningInServer(100, 1e7),
): RunningInConnection => new RunningInConnection({ maxRunning, maxRunningBytes }, total);

/** A connection whose handlers run until they are settled. */
class Connection {
  readonly handlers: Waiting[] = [];
  readonly #streams: ServerStreams;
  #lastId = 0;
  #sequence = 0;

  constructor(limit = limitOf(2, 100_000), window = new EventWindow(8)) {
    const answer = (request: PlainRequest): Promise<Uint8Array> =>
      new Promise((resolve) => this.handlers.push({ ...request, settle: () => resolve(request.body) }));
    const handler = new PlainHandler({ answer, peer: PEER, window, limit });
    this.#streams = new ServerStreams({ own: OWN, peer: OWN, maxQueuedBytes: 1e6, handler });
  }

  send(kind: 'REQUEST' | 'EVENT', bytes = 1, timeoutMs = 0): number {
    this.#lastId += 1;
    this.#receive(kind, this.#message(kind, bytes, timeoutMs), {});
    return this.#lastId;
  }

  /** The first half of a request of two frames. @returns A function that sends the other one. */
  begin(timeoutMs: number): () => void {
    this.#lastId += 1;
    const message = this.#message('REQUEST', 70_000, timeoutMs);
    this.#receive('REQUEST', message.subarray(0, 50_000), { more: true, total: message.length });
    return () => this.#receive('REQUEST', message.subarray(50_000), {});
  }

  cancel(stream: number): void {
    this.#streams.receive(asReceived(plainFrame('CANCEL', stream)), clock.nowMs());
  }

  shutDown(): void {
    this.#streams.shutDown();
  }

  /** The answers since the last call: kind, stream, and the code of an error. */
  answers(): string[] {
    return drainFrames(this.#streams).map(({ kind, stream, payload }) => {
      const code = kind === 'ERROR' ? ` ${/ERR_\w+/.exec(payload.toString())?.[0] ?? ''}` : '';
      return `${kind} ${stream}${code}`;
    });
  }

  #message(kind: 'REQUEST' | 'EVENT', bytes: number, timeoutMs: number): Buffer {
    const message = encodePlainCall(kind, 'p', Buffer.alloc(bytes));
    message.prefix = kind === 'EVENT' ? this.#sequence++ : timeoutMs;
    return bytesOf(message);
  }

  #receive(kind: 'REQUEST' | 'EVENT', payload: Buffer, fields: Partial<ReturnType<typeof plainFrame>>): void {
    this.#streams.receive(asReceived(plainFrame(kind, this.#lastId, { ...fields, payload })), clock.nowMs());
  }
}

describe('PlainHandler', () => {
  it('acknowledges an event when its handler has settled', async () => {
    const connection = new Connection();
    connection.send('EVENT');
    await turn();
    expect(connection.answers()).toEqual([]);
    connection.handlers[0]?.settle();
    await turn();
    expect(connection.answers()).toEqual(['ACK 1']);
  });

  it('refuses what comes while as many handlers run as may, and takes more when one has settled', async () => {
    const connection = new Connection();
    for (const kind of ['REQUEST', 'EVENT', 'REQUEST', 'EVENT'] as const) connection.send(kind);
    expect(connection.answers()).toEqual(['ERROR 3 ERR_OVERLOADED', 'ERROR 4 ERR_OVERLOADED']);
    connection.handlers[0]?.settle();
    await turn();
    connection.send('EVENT');
    expect(connection.handlers).toHaveLength(3);
    expect(connection.answers()).toEqual(['NEXT 1']);
  });

  it('counts a cancelled handler until it has settled', async () => {
    const connection = new Connection(limitOf(1, 1e6));
    connection.cancel(connection.send('REQUEST'));
    expect(connection.handlers[0]?.signal.aborted).toBe(true);
    connection.send('REQUEST');
    expect(connection.answers()).toEqual(['ERROR 2 ERR_OVERLOADED']);
    connection.handlers[0]?.settle();
    await turn();
    connection.send('REQUEST');
    expect(connection.handlers).toHaveLength(2);
  });

  it('refuses a message while those in work take as many bytes as they may, and always takes one', () => {
    const connection = new Connection(limitOf(8, 50_000));
    connection.send('REQUEST', 60_000);
    connection.send('REQUEST', 1);
    expect(connection.answers()).toEqual(['ERROR 2 ERR_OVERLOADED']);
  });

  it('counts the handlers of all connections together', () => {
    const total = new RunningInServer(2, 1e6);
    const [one, other] = [new Connection(limitOf(8, 1e6, total)), new Connection(limitOf(8, 1e6, total))];
    one.send('REQUEST');
    other.send('REQUEST');
    one.send('REQUEST');
    expect(one.answers()).toEqual(['ERROR 2 ERR_OVERLOADED']);
  });

  it('answers a request that is not complete at its timeout, and does not run it [R6.20]', () => {
    const fake = FakeClock.install();
    const connection = new Connection();
    const complete = connection.begin(500);
    fake.advance(600);
    expect(connection.answers()).toEqual(['ERROR 1 ERR_REQUEST_TIMEOUT']);
    complete();
    expect(connection.handlers).toEqual([]);
  });

  it('counts the timeout from the first frame of a request [R6.20]', () => {
    const fake = FakeClock.install();
    const connection = new Connection();
    const complete = connection.begin(500);
    fake.advance(400);
    complete();
    fake.advance(110);
    expect(connection.handlers.map(({ signal }) => signal.aborted)).toEqual([true]);
    expect(connection.answers()).toEqual(['ERROR 1 ERR_REQUEST_TIMEOUT']);
    expect(fake.timerCount).toBe(0);
  });

  it('acknowledges an event that runs when the server shuts down, and cuts a request that runs', () => {
    const connection = new Connection();
    connection.send('EVENT');
    connection.send('REQUEST');
    connection.begin(0);
    connection.shutDown();
    expect(connection.answers().sort()).toEqual(['ACK 1', 'ERROR 2 ERR_STREAM_CUT', 'ERROR 3 ERR_SHUTTING_DOWN']);
  });
});
