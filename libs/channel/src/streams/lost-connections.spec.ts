// The events of one client at one server over connections that are lost at any frame (docs/protocol.md §6.7).
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { asReceived, nextFrame } from '../../../../test/support/frames.js';
import type { PlainFrame } from '../../../../test/support/frames.js';
import { encodeEvent } from '../../../transport/src/packet/message.js';
import { thisMoment } from '../moment.js';
import { TransportError } from '../errors.js';
import { readSequence } from '../frame/prefix.js';
import { encodeData } from '../../../transport/src/packet/payload.js';
import { wireError } from '../sending/wire-error.js';
import type { AnswerSink, ClientStream } from './client-stream.js';
import { ClientStreams } from './client-streams.js';
import { EventSequence } from './events/event-sequence.js';
import { EventWindow } from './events/event-window.js';
import type { ServerStream } from './server-stream.js';
import { ServerStreams } from './server-streams.js';

const MAX_IN_FLIGHT = 6;
const LIMITS = {
  maxMessageBytes: 200_000,
  maxIncompleteBytes: 200_000,
  maxIncompleteBytesTotal: Infinity,
  maxInFlight: MAX_IN_FLIGHT,
};
const LOST = new TransportError('ERR_CONNECTION_LOST', 'lost');

class Emitted implements AnswerSink {
  readonly number: number;
  readonly bytes: number;
  end: 'none' | 'acknowledged' | 'refused' | 'sent' | 'unsent' | 'cancelled' = 'none';

  constructor(number: number, bytes: number) {
    this.number = number;
    this.bytes = bytes;
  }

  next(): void {
    throw new TypeError('An event has no value');
  }
  error(): void {
    this.#end('refused');
  }
  complete(): void {
    this.#end('acknowledged');
  }
  fail({ sent }: TransportError): void {
    this.#end(sent === true ? 'sent' : 'unsent');
  }
  #end(how: Emitted['end']): void {
    if (this.end !== 'none') throw new TypeError(`An event was ${how} after it was ${this.end}`);
    this.end = how;
  }
}

/** One server object: the window of the client, and what it has handed over. */
class Server {
  readonly window = new EventWindow(MAX_IN_FLIGHT);
  /** The numbers of the events, in order. */
  readonly handedOver: number[] = [];
  /** Events that wait for a place. */
  readonly waiting = new Map<ServerStream, Buffer>();

  receive(stream: ServerStream, message: Buffer, choice: number): void {
    if (this.window.has(readSequence(message) ?? NaN)) stream.acknowledge();
    else if (choice === 0 && this.waiting.size === 0) stream.fail(encodeData(wireError('ERR_OVERLOADED')));
    else if (choice === 1 || this.waiting.size > 0) this.waiting.set(stream, Buffer.from(message));
    else this.#handOver(stream, message);
  }

  runWaiting(): void {
    for (const [stream, message] of this.waiting) {
      this.waiting.delete(stream);
      this.#handOver(stream, message);
    }
  }

  #handOver(stream: ServerStream, message: Buffer): void {
    if (this.window.admit(readSequence(message) ?? NaN)) this.handedOver.push(message.readUInt32BE(message.length - 4));
    stream.acknowledge();
  }
}

/** A connection, and the frames that are on their way. */
class Wire {
  readonly near: ClientStreams;
  readonly far: ServerStreams;
  isOpen = true;
  choice = 2;
  readonly #toServer: PlainFrame[] = [];
  readonly #toClient: PlainFrame[] = [];

  constructor(sequence: EventSequence, server: Server, maxInFlight: number) {
    const queues = { maxQueuedMessages: 1_000, maxQueuedBytes: 100_000_000 };
    this.near = new ClientStreams({ own: LIMITS, peer: { ...LIMITS, maxInFlight }, sequence, ...queues });
    this.far = new ServerStreams({
      own: { ...LIMITS, maxInFlight },
      peer: LIMITS,
      maxQueuedBytes: 1_000,
      handler: {
        onRequestBegun: () => undefined,
        onRequest: () => undefined,
        onEvent: (stream, message) => server.receive(stream, message, this.choice),
        onNoMemory: () => undefined,
        onShutDown: () => undefined,
        onCancelled: (stream) => void server.waiting.delete(stream),
      },
    });
    this.near.takeKept();
  }

  carry(count: number): void {
    for (let i = 0; i < count && this.isOpen; i++) {
      move(this.#toServer, nextFrame(this.near), (frame) => this.far.receive(frame, 0));
      move(this.#toClient, nextFrame(this.far), (frame) => this.near.receive(frame, 0));
    }
  }

  /** Puts frames on their way that do not arrive yet. */
  seal(count: number): void {
    for (let i = 0; i < count && this.isOpen; i++) {
      const [request, answer] = [nextFrame(this.near), nextFrame(this.far)];
      if (request !== undefined) this.#toServer.push(request);
      if (answer !== undefined) this.#toClient.push(answer);
    }
  }

  lose(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.far.end();
    this.near.end(() => LOST, thisMoment());
  }
}

function move(
  way: PlainFrame[],
  next: PlainFrame | undefined,
  receive: (frame: ReturnType<typeof asReceived>) => void,
) {
  if (next !== undefined) way.push(next);
  const frame = way.shift();
  if (frame !== undefined) receive(asReceived(frame));
}

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('emit' as const), bytes: fc.constantFrom(4, 4, 4, 20_000, 100_000) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('carry' as const, 'seal' as const),
      frames: fc.integer({ min: 1, max: 6 }),
      wire: fc.nat({ max: 1 }),
      choice: fc.nat({ max: 4 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('lose' as const),
      wire: fc.nat({ max: 1 }),
      maxInFlight: fc.integer({ min: 2, max: MAX_IN_FLIGHT }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), at: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('run' as const) }) },
);

describe('the events of one client at one server', () => {
  it('are handed over exactly once if acknowledged, in order, however often connections are lost [R6.21 to R6.24]', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const sequence = new EventSequence();
        const server = new Server();
        const wires = [new Wire(sequence, server, MAX_IN_FLIGHT), new Wire(sequence, server, MAX_IN_FLIGHT)];
        const at = (index: number): Wire => wires[index] ?? new Wire(sequence, server, MAX_IN_FLIGHT);
        const events: { readonly emitted: Emitted; readonly stream: ClientStream; readonly wire: Wire }[] = [];
        for (const action of steps) {
          switch (action.do) {
            case 'emit': {
              const data = Buffer.alloc(action.bytes);
              data.writeUInt32BE(events.length, action.bytes - 4);
              const emitted = new Emitted(events.length, action.bytes);
              const wire = at(0); // events of one client go to one connection
              events.push({
                emitted,
                wire,
                stream: wire.near.open('EVENT', encodeEvent({ pattern: 'p', data }), emitted),
              });
              break;
            }
            case 'carry':
              at(action.wire).choice = action.choice;
              at(action.wire).carry(action.frames);
              break;
            case 'seal':
              at(action.wire).seal(action.frames);
              break;
            case 'lose':
              at(action.wire).lose();
              wires[action.wire] = new Wire(sequence, server, action.maxInFlight);
              break;
            case 'cancel': {
              const event = events[action.at % (events.length || 1)];
              if (event?.emitted.end !== 'none') break;
              event.emitted.end = 'cancelled';
              event.wire.near.cancel(event.stream);
              break;
            }
            case 'run':
              server.runWaiting();
              break;
          }
        }
        for (let round = 0; round < 300 && events.some(({ emitted }) => emitted.end === 'none'); round++) {
          for (const wire of wires) {
            wire.choice = 2;
            wire.carry(20);
          }
          server.runWaiting();
        }
        const handed = new Set(server.handedOver);
        expect(handed.size).toBe(server.handedOver.length);
        for (const { emitted } of events) {
          expect(emitted.end).not.toBe('none');
          expect(emitted.end).not.toBe('sent');
          if (emitted.end === 'acknowledged') expect(handed.has(emitted.number)).toBe(true);
          if (emitted.end === 'refused' || emitted.end === 'unsent') expect(handed.has(emitted.number)).toBe(false);
        }
        const small = server.handedOver.filter((number) => events[number]?.emitted.bytes === 4);
        expect(small).toEqual([...small].sort((a, b) => a - b));
        expect([sequence.keptCount, sequence.keptBytes]).toEqual([0, 0]);
      }),
      { numRuns: 500 },
    );
  });
});
