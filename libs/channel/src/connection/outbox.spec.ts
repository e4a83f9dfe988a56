import { beforeEach, describe, expect, it } from 'vitest';

import { decodeFrames, messageOf } from '../../../../test/support/frames.js';
import type { PlainFrame } from '../../../../test/support/frames.js';
import { MAX_WHOLE_BYTES } from '../frame/frame.js';
import { MAX_DATA_BYTES, writeContent } from '../record/content.js';
import { FULL_BYTES, SendWindow } from '../record/send-window.js';
import { CREDIT_DUE_BYTES, TakenBytes } from '../record/taken-bytes.js';
import { ClientStreams } from '../streams/client-streams.js';
import { EventSequence } from '../streams/events/event-sequence.js';
import { flushSizes } from './flush-sizes.js';
import { Heartbeat } from './heartbeat.js';
import { Outbox } from './outbox.js';

const LIMITS = {
  maxMessageBytes: 1_000_000,
  maxIncompleteBytes: 1_000_000,
  maxIncompleteBytesTotal: Infinity,
  maxInFlight: 100,
};
const BUDGET = 262_144;
const SINK = { next: () => undefined, error: () => undefined, complete: () => undefined, fail: () => undefined };

let heartbeat: Heartbeat;
let taken: TakenBytes;
let window: SendWindow;
let streams: ClientStreams;
let outbox: Outbox;

beforeEach(() => {
  heartbeat = new Heartbeat();
  taken = new TakenBytes();
  window = new SendWindow();
  const queues = { maxQueuedMessages: 1_000, maxQueuedBytes: 10_000_000, sequence: new EventSequence() };
  streams = new ClientStreams({ own: LIMITS, peer: LIMITS, ...queues });
  outbox = new Outbox({ streams, heartbeat, taken, window });
});

const ask = (bytes: number): unknown => streams.open('REQUEST', messageOf(Buffer.alloc(bytes, 1)), SINK);
/** What is taken, each with its plaintext, as a codec seals one after the other. */
function take(budget = BUDGET): { readonly type: string; readonly inner: Buffer }[] {
  const contents: { type: string; inner: Buffer }[] = [];
  for (const content of outbox.take(budget)) {
    const inner = Buffer.alloc(1 + MAX_DATA_BYTES);
    contents.push({ type: content.type, inner: inner.subarray(0, writeContent(inner, content)) });
  }
  return contents;
}

/** Without KEY_UPDATE, whose turn comes each time and is seldom used. */
const types = (budget?: number): string[] =>
  take(budget)
    .map(({ type }) => type)
    .filter((type) => type !== 'KEY_UPDATE');
/** The frames of each DATA record. */
const records = (budget?: number): PlainFrame[][] =>
  take(budget)
    .filter(({ type }) => type === 'DATA')
    .map(({ inner }) => decodeFrames(inner.subarray(1)));

/** The same of all that waits: the peer reports immediately what it has taken. */
function* allRecords(): Generator<PlainFrame[], void> {
  for (let credited = 0; streams.hasUnopened || streams.sending.hasBulk;) {
    yield* records();
    if (window.outstandingBytes < CREDIT_DUE_BYTES) continue; // nothing is held back then
    credited += window.outstandingBytes;
    outbox.receiveCredit(credited);
  }
}

describe('the outbox', () => {
  it('fills records with whole frames, never empty ones, and splits only frames that no record holds [R5.6, R6.8]', () => {
    const sizes = [1, 16_385, MAX_WHOLE_BYTES, MAX_WHOLE_BYTES + 1, 200_000, ...Array.from({ length: 40 }, () => 3)];
    for (const bytes of sizes) ask(bytes);
    const received = new Map<number, number[]>();
    for (const frames of allRecords()) {
      expect(frames.length).toBeLessThanOrEqual(flushSizes(Infinity).framesInRecord);
      for (const { stream, payload } of frames) {
        expect(payload.length).toBeGreaterThan(0);
        received.set(stream, [...(received.get(stream) ?? []), payload.length]);
      }
    }
    const pieces = [...received.values()];
    const sums = pieces.map((lengths) => lengths.reduce((sum, length) => sum + length, 0));
    expect(sums.sort((a, b) => a - b)).toEqual(sizes.sort((a, b) => a - b));
    expect(pieces.filter((lengths) => lengths.length > 1)).toHaveLength(2);
    expect([...received.keys()]).toEqual(sizes.map((_, at) => at + 1));
  });

  it('returns about as many bytes as there is room for, and none if there is no room', () => {
    for (let i = 0; i < 10; i++) ask(100_000);
    heartbeat.receivePing(Buffer.alloc(8));
    outbox.push({ type: 'PING', token: Buffer.alloc(8) });
    expect(types(0)).toEqual([]);
    expect(types(-1)).toEqual([]);
    expect(types(1)).toEqual(['PING', 'PONG', 'DATA']);
  });

  it('keeps one of each control record, however long the socket is blocked', () => {
    for (let i = 0; i < 3; i++) outbox.push({ type: 'PING', token: Buffer.alloc(8) });
    for (let i = 0; i < 3; i++) taken.take(CREDIT_DUE_BYTES);
    expect(types(0)).toEqual([]);
    expect(types()).toEqual(['PING', 'CREDIT']);
    expect(types()).toEqual([]);
  });

  it('seals waiting records in the order of the protocol [R5.26]', () => {
    ask(1);
    outbox.pushGoaway();
    taken.take(CREDIT_DUE_BYTES);
    heartbeat.receivePing(Buffer.alloc(8));
    outbox.push({ type: 'CONFIRM', body: Buffer.alloc(78) });
    outbox.push({ type: 'PING', token: Buffer.alloc(8) });
    const order = ['CONFIRM', 'PING', 'PONG', 'CREDIT', 'KEY_UPDATE', 'DATA', 'GOAWAY'];
    expect(take().map(({ type }) => type)).toEqual(order);
    outbox.push({ type: 'PING', token: Buffer.alloc(8) });
    outbox.pushClose('done');
    expect(take().map(({ type }) => type)).toEqual(['CLOSE']);
  });

  it('reports all bytes taken up to the moment at which CREDIT is sealed [R5.29]', () => {
    taken.take(CREDIT_DUE_BYTES);
    expect(types(0)).toEqual([]); // the socket takes nothing, and reading goes on
    taken.take(16);
    expect(take()[0]?.inner.toString('hex')).toBe('080000000000020010');
  });

  it('holds only bulk while too much is outstanding [R5.33]', () => {
    for (let i = 0; i < 8; i++) ask(65_000);
    records(1_000_000);
    expect(window.outstandingBytes).toBeGreaterThanOrEqual(FULL_BYTES);
    expect(streams.sending).toMatchObject({ readyCount: 0, readyBytes: 0, hasBulk: true });
    expect(types()).toEqual([]);
    ask(16_384);
    heartbeat.receivePing(Buffer.alloc(8));
    expect(types()).toEqual(['PONG', 'DATA']);
    outbox.receiveCredit(FULL_BYTES);
    expect(records().flat()).toHaveLength(3);
  });

  it('counts the length fields of the DATA records as outstanding', () => {
    ask(1);
    const [frames] = records();
    expect(frames).toHaveLength(1);
    expect(window.outstandingBytes).toBe(32); // one block, and the tag
  });

  it.each([
    [16, [16], 4],
    [31, [16, 15], 8],
    [32, [32], 16],
    [100, [64, 36], 50],
  ])('splits %i small requests so that the peer always has some of them', (count, inRecords, burst) => {
    for (let i = 0; i < count; i++) ask(1);
    expect(streams.burstCount).toBe(burst);
    expect(records().map((frames) => frames.length)).toEqual(inRecords);
  });

  it('seals a small request before waiting bulk, however much of it there is [R5.33]', () => {
    for (let i = 0; i < 20; i++) ask(65_000);
    ask(1);
    expect(records(1)[0]?.map(({ payload }) => payload.length)).toEqual([1, 65_000]);
  });

  it('sends GOAWAY once, after every stream that was to be opened [R5.15, R5.17]', () => {
    for (let i = 0; i <= flushSizes(17).framesInRecord; i++) ask(1);
    outbox.pushGoaway();
    expect(types(1)).toEqual(['DATA']);
    expect(outbox.hasSentGoaway).toBe(false);
    expect(types()).toEqual(['DATA', 'GOAWAY']);
    outbox.pushGoaway();
    expect(types()).not.toContain('GOAWAY');
  });

  it('sends CLOSE immediately, also into a full socket, and nothing after it [R5.11, R5.20]', () => {
    ask(1);
    outbox.pushGoaway();
    outbox.pushClose('done');
    expect(take(0)).toEqual([{ type: 'CLOSE', inner: Buffer.of(3, 0) }]);
    heartbeat.receivePing(Buffer.alloc(8));
    outbox.pushClose('goingAway');
    expect(types()).toEqual([]);
  });
});
