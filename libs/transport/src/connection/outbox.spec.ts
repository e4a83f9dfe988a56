import { beforeEach, describe, expect, it } from 'vitest';

import { ClientStreams } from '../frame/client-streams.js';
import { EventSequence } from '../frame/event-sequence.js';
import { decodeFrames, MAX_FRAGMENT_BYTES } from '../frame/frame.js';
import { encodeContent, MAX_DATA_BYTES } from '../record/content.js';
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

const ask = (bytes: number): unknown => streams.open('REQUEST', Buffer.alloc(bytes, 1), SINK);
const types = (budget = BUDGET): string[] => outbox.take(budget).map(({ type }) => type);

describe('the outbox', () => {
  it('fills records with whole frames, none of them empty or longer than a fragment [R5.6, R6.8]', () => {
    const sizes = [1, 16_384, 16_385, 100_000, ...Array.from({ length: 40 }, () => 3)];
    for (const bytes of sizes) ask(bytes);
    const received = new Map<number, number>();
    for (const content of outbox.take(1_000_000)) {
      if (content.type !== 'DATA') throw new TypeError('nothing but DATA waits');
      const body = encodeContent(content).subarray(1);
      const frames = [...decodeFrames(body)];
      expect(frames.length).toBeLessThanOrEqual(MAX_FRAMES_IN_RECORD);
      expect(body.length).toBeLessThanOrEqual(MAX_DATA_BYTES);
      for (const { stream, payload } of frames) {
        expect(payload.length).toBeGreaterThan(0);
        expect(payload.length).toBeLessThanOrEqual(MAX_FRAGMENT_BYTES);
        received.set(stream, (received.get(stream) ?? 0) + payload.length);
      }
    }
    expect([...received.values()]).toEqual(sizes);
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
    expect(outbox.take(0)).toEqual([{ type: 'CLOSE', reason: 'done' }]);
    heartbeat.receivePing(Buffer.alloc(8));
    outbox.pushClose('goingAway');
    expect(types()).toEqual([]);
  });
});
