import { describe, expect, it } from 'vitest';

import { FakeClock } from '../../../../test/support/fake-clock.js';
import { recordBodies } from '../../../../test/support/record-bodies.js';
import type { Session } from '../handshake/index.js';
import { resolveLimits } from '../options/limits.js';
import type { ControlContent, OutgoingContent } from '../record/content.js';
import type { KeyLimits } from '../record/traffic-key.js';
import { RecordDecoder } from '../record/record.js';
import type { ConnectionCodec } from './codec.js';
import { createCodec } from './sealing.js';

const HOUR_MS = 3_600_000;
const CONFIRM: ControlContent = { type: 'CONFIRM', body: Buffer.alloc(78) };
const CLOSE: ControlContent = { type: 'CLOSE', reason: 'done' };
const KEY_UPDATE: ControlContent = { type: 'KEY_UPDATE' };
const PING: ControlContent = { type: 'PING', token: Buffer.alloc(8) };
const PONG: ControlContent = { type: 'PONG', token: Buffer.alloc(8) };
const CREDIT: ControlContent = { type: 'CREDIT', taken: 131_072 };
const GOAWAY: ControlContent = { type: 'GOAWAY' };
const DATA: OutgoingContent = {
  type: 'DATA',
  frames: { writeFrames: (target, at) => target.fill(1, at, at + 8) && 8 },
};

/** The codecs of both sides, as long as one session lives. */
function pair(key: Partial<KeyLimits> = {}): {
  time: FakeClock;
  near: ConnectionCodec;
  says: (...contents: readonly OutgoingContent[]) => string[];
} {
  const time = FakeClock.install();
  const [one, other] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
  const codec = (keys: Pick<Session, 'outgoingKey' | 'incomingKey'>): ConnectionCodec =>
    createCodec({ ...keys, keyId: Buffer.alloc(8) }, resolveLimits({ limits: { key } }).key);
  const near = codec({ outgoingKey: one, incomingKey: other });
  const far = codec({ outgoingKey: other, incomingKey: one });
  const says = (...contents: readonly OutgoingContent[]): string[] =>
    recordBodies(new RecordDecoder(), near.serializer.serialize(contents)).map(
      (body) => far.deserializer.deserialize(body).type,
    );
  return { time, near, says };
}

describe('a codec', () => {
  it('replaces its key on request if the key has reached its age, and sends nothing else [R5.27]', () => {
    const { time, near, says } = pair();
    time.advance(HOUR_MS - 1);
    expect([near.keyLeftMs(), says(KEY_UPDATE)]).toEqual([1, []]);
    time.advance(1);
    expect([near.keyLeftMs(), says(KEY_UPDATE)]).toEqual([0, ['KEY_UPDATE']]);
    expect([near.keyLeftMs(), says(KEY_UPDATE, PING)]).toEqual([HOUR_MS, ['PING']]);
  });

  it('sends KEY_UPDATE first after a suspension beyond the hard age, and the peer accepts it [R5.10, R5.27]', () => {
    const { time, says } = pair();
    time.stall(3 * HOUR_MS);
    expect(says(PING, PING)).toEqual(['KEY_UPDATE', 'PING', 'PING']);
  });

  it('sends a KEY_UPDATE that is due by age before everything but CONFIRM [R5.25, R5.26]', () => {
    const contents = [CONFIRM, PING, PONG, CREDIT, KEY_UPDATE, DATA, GOAWAY] as const;
    for (let first = 1; first < contents.length; first++) {
      const { time, says } = pair();
      time.advance(HOUR_MS);
      const expected = contents.slice(first).map(({ type }) => type);
      expect(says(CONFIRM, ...contents.slice(first))).toEqual([
        'CONFIRM',
        'KEY_UPDATE',
        ...expected.filter((type) => type !== 'KEY_UPDATE'),
      ]);
    }
  });

  it.each([
    ['bytes', { softBytes: 1 }],
    ['records', { softRecords: 1 }],
  ])('sends a KEY_UPDATE that is due by the %s of its key after CREDIT, and before DATA [R5.26]', (_what, key) => {
    const { says } = pair(key);
    says(...Array.from({ length: 64 }, () => PING)); // fewer may not be between two
    const order = ['PING', 'PONG', 'CREDIT', 'KEY_UPDATE', 'DATA', 'GOAWAY'];
    expect(says(PING, PONG, CREDIT, KEY_UPDATE, DATA, GOAWAY)).toEqual(order);
  });

  it('sends KEY_UPDATE between two records of DATA, and before GOAWAY [R5.8, R5.26]', () => {
    const { says } = pair({ softRecords: 1 });
    says(...Array.from({ length: 63 }, () => PING));
    expect(says(DATA, DATA)).toEqual(['DATA', 'KEY_UPDATE', 'DATA']);
    says(...Array.from({ length: 63 }, () => PING));
    expect(says(GOAWAY)).toEqual(['KEY_UPDATE', 'GOAWAY']);
  });

  it('sends CONFIRM and CLOSE under an old key, because nothing may precede CONFIRM or follow CLOSE', () => {
    const { time, says } = pair();
    time.advance(HOUR_MS);
    expect(says(CONFIRM)).toEqual(['CONFIRM']);
    time.advance(2 * HOUR_MS);
    expect(says(CLOSE)).toEqual(['CLOSE']);
  });
});
