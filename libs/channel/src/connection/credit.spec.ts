// CREDIT on whole connections (docs/protocol.md §5.10), over a wire without a network and with a clock of its own.
import { describe, expect, it } from 'vitest';

import { turn, wire } from '../../../../test/fuzz/wire.js';
import type { WireEnd } from '../../../../test/fuzz/wire.js';
import { afterConfirm } from '../../../../test/support/after-confirm.js';
import { FakeClock } from '../../../../test/support/fake-clock.js';
import { encodeContent, encodeFrames, messageOf, plainFrame, decodeFrames } from '../../../../test/support/frames.js';
import type { PlainFrame } from '../../../../test/support/frames.js';
import { recordBodies } from '../../../../test/support/record-bodies.js';
import { sealRecord } from '../../../../test/support/seal-record.js';
import type { TransportError } from '../errors.js';
import { resolveLimits } from '../options/limits.js';
import { decodeContent } from '../record/content.js';
import type { RecordContent } from '../record/content.js';
import { OpeningHalf, SealingHalf } from '../record/half-connection.js';
import { RecordDecoder } from '../record/record.js';
import { detachFromSlab, giveBackSlab, takeSlab } from '../record/slab.js';
import { ClientStreams } from '../streams/client-streams.js';
import { EventSequence } from '../streams/events/event-sequence.js';
import type { ServerStream } from '../streams/server-stream.js';
import { ServerStreams } from '../streams/server-streams.js';
import { Connection } from './connection.js';
import { createCodec } from './sealing.js';

type Role = 'client' | 'server';

const ROLES: readonly Role[] = ['server', 'client'];
const KEYS = { client: Buffer.alloc(32, 1), server: Buffer.alloc(32, 2) };
const LIMITS = resolveLimits({ timeouts: { pingIntervalMs: 0, writeMs: 0, messageMs: 0, closeMs: 120_000 } });
const PEER = { ...LIMITS, unixMs: 0 };
const CONFIRM = { type: 'CONFIRM', body: Buffer.alloc(78) } as const;
const FULL_BYTES = 262_144;
const MAX_LENGTH = 65_520;
const MIB = 1_048_576;

/** One side of a connection, and what has become of it. */
class Side {
  readonly connection: Connection;
  readonly end: WireEnd;
  readonly #role: Role;
  readonly requests: ServerStream[] = [];
  readonly answers: number[] = [];
  readonly #client: ClientStreams;
  readonly #server: ServerStreams;
  ended: string | undefined;

  constructor(role: Role, end: WireEnd) {
    this.#role = role;
    this.end = end;
    const { maxQueuedBytes, maxQueuedMessages } = LIMITS;
    const queues = { maxQueuedBytes, maxQueuedMessages, sequence: new EventSequence() };
    const ignore = (): undefined => undefined;
    this.#client = new ClientStreams({ own: LIMITS, peer: PEER, ...queues });
    const request = (stream: ServerStream): void => void this.requests.push(stream);
    const refused = { onNoMemory: ignore, onShutDown: ignore, onCancelled: ignore };
    const handler = { onRequestBegun: ignore, onRequest: request, onEvent: ignore, ...refused };
    this.#server = new ServerStreams({ own: LIMITS, peer: PEER, maxQueuedBytes, handler });
    const other = role === 'client' ? 'server' : 'client';
    const keys = { outgoingKey: KEYS[role], incomingKey: KEYS[other], keyId: Buffer.alloc(8) };
    const codec = createCodec(keys, LIMITS.key);
    const common = {
      socket: end.socket,
      codec,
      streams: role === 'client' ? this.#client : this.#server,
      limits: LIMITS,
      events: { onClosed: (error?: TransportError) => void (this.ended = error?.code ?? 'agreed') },
    };
    this.connection =
      role === 'client'
        ? new Connection({ ...common, role, confirm: CONFIRM.body })
        : new Connection({ ...common, role, codec: afterConfirm(codec, () => undefined) });
  }

  /** Gives it a message to send: a request, or a value of the answer to the request that came last. */
  send(bytes: number): () => void {
    const message = messageOf(Buffer.alloc(bytes, 1));
    if (this.#role === 'server') {
      const stream = this.requests.at(-1);
      if (stream !== undefined) stream.next(message, false);
      return () => undefined;
    }
    const ignore = (): void => undefined;
    const next = (data: Buffer): void => void this.answers.push(data.length);
    const stream = this.#client.open('REQUEST', message, { next, error: ignore, complete: ignore, fail: ignore });
    return () => {
      this.#client.cancel(stream);
    };
  }
}

/** The peer of a side: it holds the keys, sends any given records, and notes the received ones. */
class Rogue {
  readonly #victim: Side;
  readonly #kind: 'REQUEST' | 'NEXT';
  readonly #sealing: SealingHalf;
  readonly #opening: OpeningHalf;
  readonly #decoder = new RecordDecoder();
  /** Sums of the `length` fields of DATA records. */
  sealed = 0;
  taken = 0;

  constructor(role: Role, victim: Side) {
    this.#victim = victim;
    this.#kind = role === 'client' ? 'REQUEST' : 'NEXT';
    this.#sealing = new SealingHalf(KEYS[role], LIMITS.key, 0);
    this.#opening = new OpeningHalf(KEYS[role === 'client' ? 'server' : 'client'], LIMITS.key, 0);
  }

  say(...contents: readonly RecordContent[]): void {
    for (const content of contents) {
      const record = sealRecord(this.#sealing, encodeContent(content));
      if (content.type === 'DATA') this.sealed += record.length - 2;
      if (content.type === 'KEY_UPDATE') this.#sealing.updateKey(0);
      this.#victim.end.receive(record);
    }
  }

  sayInner(inner: Buffer): void {
    this.#victim.end.receive(sealRecord(this.#sealing, inner));
  }

  data(...frames: readonly PlainFrame[]): void {
    this.say({ type: 'DATA', frames: encodeFrames(frames) });
  }

  /** A DATA record of this `length`, whose only frame is late: stream 1 has to be closed. */
  late(length: number): void {
    this.data(plainFrame(this.#kind, 1, { payload: Buffer.alloc(length - 26, 2) }));
  }

  credit(taken: number): void {
    this.say({ type: 'CREDIT', taken });
  }

  /** The records that the victim has written since the last call. */
  async hear(): Promise<RecordContent[]> {
    await turn();
    const heard: RecordContent[] = [];
    for (const body of recordBodies(this.#decoder, this.#victim.end.take())) {
      const content = decodeContent(this.#opening.open(body, 0));
      if (content.type === 'KEY_UPDATE') this.#opening.updateKey(0);
      if (content.type === 'DATA') this.taken += body.length;
      heard.push(content);
    }
    return heard;
  }

  /** The same, for as long as the victim has something to write. */
  async hearAll(): Promise<RecordContent[]> {
    const all: RecordContent[] = [];
    for (let heard = await this.hear(); heard.length > 0; heard = await this.hear()) all.push(...heard);
    return all;
  }
}

const typesOf = (contents: readonly RecordContent[]): string[] => contents.map(({ type }) => type);
const framesOf = (contents: readonly RecordContent[]): PlainFrame[] =>
  contents.flatMap((content) => (content.type === 'DATA' ? decodeFrames(content.frames) : []));

/** A side whose peer is a rogue. Stream 1 is closed, and a server has the request of stream 2 to answer. */
async function victimOf(role: Role): Promise<{ time: FakeClock; victim: Side; rogue: Rogue }> {
  const time = FakeClock.install();
  const victim = new Side(role, wire()[0]);
  const rogue = new Rogue(role === 'client' ? 'server' : 'client', victim);
  if (role === 'server') {
    rogue.say(CONFIRM);
    rogue.data(plainFrame('REQUEST', 1), plainFrame('CANCEL', 1), plainFrame('REQUEST', 2));
  } else {
    const cancel = victim.send(1);
    await rogue.hear();
    cancel();
  }
  await rogue.hear();
  return { time, victim, rogue };
}

describe.each(ROLES)('a %s', (role) => {
  it('reports the bytes it has taken, late frames included, from 131,072 bytes on and not before [R5.29, R5.30]', async () => {
    const { rogue } = await victimOf(role);
    for (let left = 131_072 - 32 - rogue.sealed; left > 0; left -= MAX_LENGTH) rogue.late(Math.min(left, MAX_LENGTH));
    expect(await rogue.hear()).toEqual([]);
    rogue.late(32);
    expect(await rogue.hear()).toEqual([{ type: 'CREDIT', taken: 131_072 }]);
    rogue.late(MAX_LENGTH);
    expect(await rogue.hear()).toEqual([]);
  });

  it('seals CREDIT before DATA, once, with the current value [R5.29, R5.26]', async () => {
    const { rogue, victim } = await victimOf(role);
    for (let i = 0; i < 3; i++) rogue.late(MAX_LENGTH);
    victim.send(10);
    const [first, ...others] = await rogue.hear();
    expect(first).toEqual({ type: 'CREDIT', taken: rogue.sealed });
    expect(typesOf(others)).toEqual(['DATA']);
  });

  it('continues to report while it drains, and stops with its own CLOSE', async () => {
    const { time, rogue, victim } = await victimOf(role);
    victim.send(10);
    void victim.connection.close(1_000);
    await rogue.hear();
    for (let i = 0; i < 3; i++) rogue.late(MAX_LENGTH);
    expect(typesOf(await rogue.hear())).toEqual(['CREDIT']);
    time.advance(1_000);
    expect(typesOf(await rogue.hear())).toEqual(['CLOSE']);
    for (let i = 0; i < 3; i++) rogue.late(MAX_LENGTH);
    expect([await rogue.hear(), victim.ended]).toEqual([[], undefined]);
  });

  it('continues its count across KEY_UPDATE', async () => {
    const { rogue } = await victimOf(role);
    rogue.late(MAX_LENGTH);
    rogue.say({ type: 'KEY_UPDATE' });
    rogue.late(MAX_LENGTH);
    rogue.late(64);
    expect(await rogue.hear()).toEqual([{ type: 'CREDIT', taken: rogue.sealed }]);
  });

  it('holds bulk when 262,144 bytes are outstanding, lets everything else pass, and resumes with credit', async () => {
    const { rogue, victim } = await victimOf(role);
    victim.send(5 * MIB);
    await rogue.hearAll();
    expect(rogue.taken).toBeGreaterThanOrEqual(FULL_BYTES); // [R5.34]
    expect(rogue.taken).toBeLessThan(FULL_BYTES + MAX_LENGTH + 200);
    rogue.say({ type: 'PING', token: Buffer.alloc(8) });
    expect(typesOf(await rogue.hearAll())).toEqual(['PONG']);
    for (let credits = 0; credits < 100 && rogue.taken < 5 * MIB; credits++) {
      rogue.credit(rogue.taken);
      await rogue.hearAll();
    }
    expect(rogue.taken).toBeGreaterThan(5 * MIB);
  });

  it('keeps no sealing memory while its bulk waits for credit', async () => {
    for (let victims = 0; victims < 20; victims++) {
      const { rogue, victim } = await victimOf(role);
      victim.send(MIB);
      await rogue.hearAll();
    }
    const slab = takeSlab();
    expect(detachFromSlab(slab, true)).toBe(slab); // a copy, if 16 others were in use
    giveBackSlab(slab);
  });

  it('fails on a CREDIT that rises too little, and on one beyond the sealed bytes [R5.31]', async () => {
    for (const [change, ended] of [
      [-MAX_LENGTH * 10, 'ERR_CREDIT_FLOOD'],
      [1, 'ERR_CREDIT_UNEARNED'],
    ] as const) {
      const { rogue, victim } = await victimOf(role);
      victim.send(MIB);
      await rogue.hearAll();
      rogue.credit(rogue.taken + change < 0 ? 65_535 : rogue.taken + change);
      expect(victim.ended).toBe(ended);
    }
  });

  it('accepts a CREDIT of all sealed bytes, and rejects its repetition [R5.31]', async () => {
    const { rogue, victim } = await victimOf(role);
    victim.send(100_000);
    await rogue.hearAll();
    rogue.credit(rogue.taken);
    expect(victim.ended).toBeUndefined();
    rogue.credit(rogue.taken);
    expect(victim.ended).toBe('ERR_CREDIT_FLOOD');
  });

  it('checks only the form of a CREDIT after its own CLOSE', async () => {
    const ends = async (does: (rogue: Rogue) => void): Promise<string | undefined> => {
      const { time, rogue, victim } = await victimOf(role);
      void victim.connection.close(1);
      time.advance(1);
      expect(typesOf(await rogue.hearAll())).toContain('CLOSE');
      does(rogue);
      return victim.ended;
    };
    const U53 = Buffer.from('080020000000000000', 'hex');
    expect(await ends((rogue) => rogue.credit(0))).toBeUndefined();
    expect(await ends((rogue) => rogue.credit(Number.MAX_SAFE_INTEGER))).toBeUndefined();
    expect(await ends((rogue) => rogue.sayInner(U53))).toBe('ERR_RECORD_MALFORMED');
    expect(await ends((rogue) => rogue.sayInner(U53.subarray(0, 8)))).toBe('ERR_RECORD_MALFORMED');
  });
});

describe.each(ROLES)('a %s that waits for CREDIT', (role) => {
  it('fails the connection 60 s after 262,144 bytes were outstanding [R5.32]', async () => {
    const { time, rogue, victim } = await victimOf(role);
    victim.send(MIB);
    await rogue.hearAll();
    time.advance(59_999);
    expect(victim.ended).toBeUndefined();
    time.advance(1);
    expect(victim.ended).toBe('ERR_CREDIT_STALLED');
  });

  it('waits 60 s from each CREDIT on, and without a limit while less is outstanding [R5.32]', async () => {
    const { time, rogue, victim } = await victimOf(role);
    victim.send(MIB);
    await rogue.hearAll();
    time.advance(40_000);
    rogue.credit(65_536);
    await rogue.hearAll();
    time.advance(59_999);
    expect(victim.ended).toBeUndefined();
    rogue.credit(rogue.taken - 16);
    for (let credits = 0; credits < 20 && rogue.taken < MIB; credits++) {
      await rogue.hearAll();
      if (rogue.taken < MIB) rogue.credit(rogue.taken);
    }
    time.advance(1_000_000);
    expect(victim.ended).toBeUndefined();
  });

  it('does not wait for it after its own CLOSE', async () => {
    const { time, rogue, victim } = await victimOf(role);
    victim.send(MIB);
    await rogue.hearAll();
    void victim.connection.close(10_000);
    time.advance(10_000);
    time.advance(100_000);
    expect(victim.ended).toBeUndefined(); // timeouts.closeMs is longer
  });
});

describe('a client whose bulk waits for credit', () => {
  it('seals a small request before the bulk that was queued first [R5.33]', async () => {
    const { rogue, victim } = await victimOf('client');
    victim.send(MIB);
    await rogue.hearAll();
    for (let i = 0; i < 100; i++) victim.send(60_000);
    victim.send(300);
    const passed = framesOf(await rogue.hearAll());
    expect(passed.map(({ kind, payload }) => [kind, payload.length])).toEqual([['REQUEST', 300]]);
  });

  it('leaves slots for small requests, however much bulk waits [R5.33]', async () => {
    const { rogue, victim } = await victimOf('client');
    for (let i = 0; i < 2 * LIMITS.maxInFlight; i++) victim.send(20_000);
    await rogue.hearAll();
    victim.send(300);
    expect(framesOf(await rogue.hearAll()).map(({ payload }) => payload.length)).toEqual([300]);
  });

  it('seals CANCEL of a message that is incomplete immediately [R5.33]', async () => {
    const { rogue, victim } = await victimOf('client');
    const cancel = victim.send(MIB);
    await rogue.hearAll();
    cancel();
    expect(framesOf(await rogue.hearAll()).map(({ kind }) => kind)).toEqual(['CANCEL']);
  });
});

/** Two sides with a path between them that has a rate and a delay; time goes on by its milliseconds. */
class Path {
  readonly #time = FakeClock.install();
  readonly #ways: readonly { readonly from: WireEnd; readonly sent: { bytes: Buffer; atMs: number }[] }[];
  #nowMs = 0;

  constructor(ends: readonly WireEnd[]) {
    this.#ways = ends.map((from) => ({ from, sent: [] }));
  }

  /** @param bytesPerMs - Of each direction. @param delayMs - Each way. */
  async run(ms: number, bytesPerMs: number, delayMs: number, seen: () => void): Promise<void> {
    for (const endMs = this.#nowMs + ms; this.#nowMs < endMs; this.#nowMs++) {
      this.#time.advance(1);
      for (const { from, sent } of this.#ways) {
        const bytes = from.takeUpTo(bytesPerMs);
        if (bytes.length > 0) sent.push({ bytes, atMs: this.#nowMs + delayMs });
        for (; (sent[0]?.atMs ?? Infinity) <= this.#nowMs; sent.shift()) from.peer?.receive(sent[0]?.bytes ?? bytes);
      }
      await turn();
      seen();
    }
  }

  /** The bytes in transit to the other end. */
  bytesOnTheWay(from: WireEnd): number {
    const way = this.#ways.find((each) => each.from === from);
    return from.writableLength + (way?.sent ?? []).reduce((sum, { bytes }) => sum + bytes.length, 0);
  }
}

describe('on a path with a delay', () => {
  it('keeps about as many bytes in transit as the path holds', async () => {
    const ends = wire();
    const path = new Path(ends);
    const [client, server] = [new Side('client', ends[0]), new Side('server', ends[1])];
    for (let i = 0; i < 7; i++) client.send(8 * MIB - 10);
    const mostUnderWay: number[] = [];
    const [bytesPerMs, delayMs] = [20_000, 40];
    let most = 0;
    for (let period = 0; period < 4; period++) {
      most = 0;
      await path.run(500, bytesPerMs, delayMs, () => (most = Math.max(most, path.bytesOnTheWay(ends[0]))));
      mostUnderWay.push(most);
    }
    expect([client.ended, server.ended]).toEqual([undefined, undefined]);
    expect(mostUnderWay.at(-1)).toBeGreaterThanOrEqual(bytesPerMs * delayMs); // the rest is CREDIT on its way back
    expect(mostUnderWay.at(-1)).toBeLessThan(4 * bytesPerMs * 2 * delayMs);
  });

  it('never deadlocks when both sides send bulk [R5.19]', async () => {
    const ends = wire();
    const path = new Path(ends);
    const [client, server] = [new Side('client', ends[0]), new Side('server', ends[1])];
    client.send(1);
    await path.run(30, 20_000, 5, () => undefined);
    for (let i = 0; i < 3; i++) {
      client.send(4 * MIB);
      server.send(4 * MIB);
    }
    await path.run(2_000, 20_000, 5, () => undefined);
    expect([client.answers, server.requests.length]).toEqual([[4 * MIB, 4 * MIB, 4 * MIB], 4]);
  });
});
