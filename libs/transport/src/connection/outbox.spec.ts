import { beforeEach, describe, expect, it } from 'vitest';

import { ClientStreams } from '../frame/client-streams.js';
import { EventSequence } from '../frame/event-sequence.js';
import { decodeFrames, messageOf } from '../../../../test/support/frames.js';
import { MAX_WHOLE_BYTES } from '../frame/frame.js';
import { MAX_DATA_BYTES, writeContent } from '../record/content.js';
import { Heartbeat } from './heartbeat.js';
import { MAX_FRAMES_IN_RECORD, Outbox } from './outbox.js';

const LIMITS = { maxMessageBytes: 1_000_000, maxIncompleteBytes: 1_000_000, maxInFlight: 100 };
const BUDGET = 262_144;
const SINK = { next: () => undefined, error: () => undefined, complete: () => undefined, fail: () => undefined };

let heartbeat: Heartbeat;
let streams: ClientStreams;
let outbox: Outbox;

beforeEach(() => {
  heartbeat = new Heartbeat();
  const queues = { maxQueuedMessages: 1_000, maxQueuedBytes: 10_000_000, sequence: new EventSequence() };
  streams = new ClientStreams({ own: LIMITS, peer: LIMITS, ...queues });
  outbox = new Outbox(streams, heartbeat);
});

const ask = (bytes: number): unknown => streams.open('REQUEST', messageOf(Buffer.alloc(bytes, 1)), SINK);
/** What is taken, each with its plaintext, as a codec seals one after the other. */
function take(budget = BUDGET): { readonly type: string; readonly inner: Buffer }[] {
  const taken: { type: string; inner: Buffer }[] = [];
  for (const content of outbox.take(budget)) {
    const inner = Buffer.alloc(1 + MAX_DATA_BYTES);
    taken.push({ type: content.type, inner: inner.subarray(0, writeContent(inner, content)) });
  }
  return taken;
}

const types = (budget?: number): string[] => take(budget).map(({ type }) => type);

describe('the outbox', () => {
  it('fills records with whole frames, none of them empty, and cuts only what no record holds [R5.6, R6.8]', () => {
    const sizes = [1, 16_385, MAX_WHOLE_BYTES, MAX_WHOLE_BYTES + 1, 200_000, ...Array.from({ length: 40 }, () => 3)];
    for (const bytes of sizes) ask(bytes);
    const received = new Map<number, number[]>();
    for (const { type, inner } of take(1_000_000)) {
      expect(type).toBe('DATA');
      const frames = decodeFrames(inner.subarray(1));
      expect(frames.length).toBeLessThanOrEqual(MAX_FRAMES_IN_RECORD);
      for (const { stream, payload } of frames) {
        expect(payload.length).toBeGreaterThan(0);
        received.set(stream, [...(received.get(stream) ?? []), payload.length]);
      }
    }
    const pieces = [...received.values()];
    expect(pieces.map((lengths) => lengths.reduce((sum, length) => sum + length, 0))).toEqual(sizes);
    expect(pieces.filter((lengths) => lengths.length > 1)).toHaveLength(2);
    expect([...received.keys()]).toEqual(sizes.map((_, at) => at + 1));
  });

  it('gives about as many bytes as there is room for, and nothing where there is none', () => {
    for (let i = 0; i < 10; i++) ask(100_000);
    heartbeat.receivePing(Buffer.alloc(8));
    outbox.push({ type: 'PING', token: Buffer.alloc(8) });
    expect(types(0)).toEqual([]);
    expect(types(-1)).toEqual([]);
    expect(types(1)).toEqual(['PING', 'PONG', 'DATA']);
  });

  it('keeps one of each control record, however long the socket takes nothing', () => {
    for (let i = 0; i < 3; i++) outbox.push({ type: 'KEY_UPDATE' });
    expect(types(0)).toEqual([]);
    expect(types()).toEqual(['KEY_UPDATE']);
    expect(types()).toEqual([]);
  });

  it('says GOAWAY once, behind everything that was to be opened [R5.15, R5.17]', () => {
    for (let i = 0; i <= MAX_FRAMES_IN_RECORD; i++) ask(1);
    outbox.pushGoaway();
    expect(types(1)).toEqual(['DATA']);
    expect(outbox.hasSentGoaway).toBe(false);
    expect(types()).toEqual(['DATA', 'GOAWAY']);
    outbox.pushGoaway();
    expect(types()).not.toContain('GOAWAY');
  });

  it('says CLOSE at once, also into a full socket, and nothing ever behind it [R5.11, R5.20]', () => {
    ask(1);
    outbox.pushGoaway();
    outbox.pushClose('done');
    expect(take(0)).toEqual([{ type: 'CLOSE', inner: Buffer.of(3, 0) }]);
    heartbeat.receivePing(Buffer.alloc(8));
    outbox.pushClose('goingAway');
    expect(types()).toEqual([]);
  });
});
