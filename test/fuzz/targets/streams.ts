// docs/protocol.md §6.4 to §6.6: the streams of one side against any frames, and of both sides against each other.
import { ClientStreams } from '../../../libs/channel/src/streams/client-streams.js';
import type { AnswerSink, ClientStream } from '../../../libs/channel/src/streams/client-stream.js';
import { EventSequence } from '../../../libs/channel/src/streams/events/event-sequence.js';
import { encodeEvent, encodeRequest } from '../../../libs/transport/src/packet/message.js';
import { ServerStreams } from '../../../libs/channel/src/streams/server-streams.js';
import type { ServerStream } from '../../../libs/channel/src/streams/server-stream.js';
import type { Streams } from '../../../libs/channel/src/streams/streams.js';
import { TransportError } from '../../../libs/channel/src/errors.js';
import { asReceived, messageOf, nextFrame } from '../../support/frames.js';
import type { PlainFrame } from '../../support/frames.js';
import { Script } from '../script.js';
import { hold, OK, outcomeOf } from '../target.js';
import type { Target } from '../target.js';

const MAX_IN_FLIGHT = 4;
/** Less than two of the largest messages. */
export const LIMITS = {
  maxMessageBytes: 100_000,
  maxIncompleteBytes: 150_000,
  maxIncompleteBytesTotal: 200_000,
  maxInFlight: MAX_IN_FLIGHT,
};
const OF_CLIENT = ['REQUEST', 'REQUEST', 'EVENT', 'CANCEL'] as const;
const OF_SERVER = ['NEXT', 'NEXT', 'ERROR', 'COMPLETE', 'ACK'] as const;
const KINDS = [...OF_CLIENT, ...OF_SERVER] as const;
const SIZES = [1, 30, 16_384, 40_000, 65_470, 65_495, 90_000] as const;
/** Of one frame. */
const PIECES = [1, 30, 20_000, 35_000, 60_000].map((bytes) => Buffer.alloc(bytes, 2)) as [Buffer, ...Buffer[]];
const TOTALS = [65_495, 70_000, 100_000, 100_001] as const;
const PAYLOADS = SIZES.map((bytes) => Buffer.alloc(bytes, 2)) as [Buffer, ...Buffer[]];
const NOTHING = Buffer.alloc(0);
const VIOLATIONS = ['ERR_FRAME_UNEXPECTED', 'ERR_IN_FLIGHT_LIMIT', 'ERR_INCOMPLETE_LIMIT', 'ERR_MESSAGE_TOO_LARGE'];
const LOCAL = new Set(['ERR_QUEUE_FULL', 'ERR_CONNECTION_DRAINING', 'ERR_MESSAGE_TOO_LARGE', 'ERR_ANSWER_OVERFLOW']);
const LOST = new TransportError('ERR_CONNECTION_LOST', 'The run is over');

/** The events of one caller: any values, then one end; nothing once it has cancelled. */
export class Heard implements AnswerSink {
  values = 0;
  ends = 0;
  isCancelled = false;
  next(_data: Buffer, last: boolean): void {
    this.#hear();
    this.values += 1;
    if (last) this.ends += 1;
  }
  error(): void {
    this.#hear();
    this.ends += 1;
  }
  complete(): void {
    this.#hear();
    this.ends += 1;
  }
  fail(): void {
    this.#hear();
    this.ends += 1;
  }
  checkAtEnd(): void {
    hold(this.isCancelled || this.ends === 1, `a caller got ${this.ends} ends`);
  }
  #hear(): void {
    hold(this.ends === 0, 'a caller gets more after the end');
    hold(!this.isCancelled, 'a caller that has cancelled gets more');
  }
}

export class Caller {
  readonly #sequence = new EventSequence();
  readonly streams = new ClientStreams({
    own: LIMITS,
    peer: LIMITS,
    maxQueuedMessages: 30,
    maxQueuedBytes: 400_000,
    sequence: this.#sequence,
  });
  readonly calls: { readonly stream: ClientStream; readonly heard: Heard }[] = [];

  act(script: Script): void {
    const { stream, heard } = this.calls[script.below(this.calls.length || 1)] ?? {};
    if (script.below(4) === 0 && stream !== undefined && heard !== undefined) {
      heard.isCancelled = true;
      this.streams.cancel(stream);
      return;
    }
    const call = { pattern: 'p', data: script.pick(PAYLOADS) };
    const isRequest = script.below(3) > 0;
    const payload = isRequest ? encodeRequest({ ...call, timeoutMs: 0 }) : encodeEvent(call);
    const sink = new Heard();
    local(() => {
      this.calls.push({ stream: this.streams.open(isRequest ? 'REQUEST' : 'EVENT', payload, sink), heard: sink });
    });
    hold(this.streams.openCount <= MAX_IN_FLIGHT, 'a client with too many streams');
  }

  end(): void {
    this.streams.end(() => LOST);
    hold(this.streams.isIdle, 'a client that is over has streams');
    this.checkAtEnd();
  }

  /** Checks that every call has ended. No connection follows on which events could be sent again. */
  checkAtEnd(): void {
    this.#sequence.giveUp();
    for (const { heard } of this.calls) heard.checkAtEnd();
  }
}

export class Servant {
  readonly running = new Set<ServerStream>();
  handed = 0;
  #begun = 0;
  readonly streams = new ServerStreams({
    own: LIMITS,
    peer: LIMITS,
    maxQueuedBytes: 200_000,
    handler: {
      onRequestBegun: (stream) => {
        this.#begun += 1;
        if (this.#begun % 2 === 0) stream.fail(messageOf(Buffer.of(2))); // its deadline is over
      },
      onRequest: (stream) => this.#take(stream),
      onEvent: (stream) => this.#take(stream),
      onNoMemory: (stream) => stream.fail(messageOf(Buffer.of(2))),
      onShutDown: (stream) => stream.fail(messageOf(Buffer.of(2))),
      onCancelled: (stream) => void this.running.delete(stream),
    },
  });

  act(script: Script): void {
    const stream = [...this.running][script.below(this.running.size || 1)];
    if (stream === undefined) return;
    if (!stream.isRunning) this.running.delete(stream);
    if (stream.kind === 'EVENT') {
      if (script.below(3) === 0) stream.fail(messageOf(Buffer.of(2)));
      else stream.acknowledge();
      return;
    }
    const bytes = script.pick(PAYLOADS);
    local(() => {
      switch (script.below(4)) {
        case 0:
          stream.complete();
          return;
        case 1:
          stream.fail(messageOf(bytes.subarray(0, 100)));
          return;
        default:
          stream.next(messageOf(bytes), script.below(4) === 0);
      }
    });
  }

  answerAll(): void {
    for (const stream of this.running) {
      if (stream.kind === 'EVENT') stream.acknowledge();
      else stream.complete();
    }
  }

  #take(stream: ServerStream): void {
    hold(stream.isRunning, 'a stream that is handed over does not run');
    this.handed += 1;
    this.running.add(stream);
  }
}

/** The actions of this side may fail, with the errors that its callers expect. */
function local(act: () => void): void {
  const outcome = outcomeOf(act);
  hold(outcome === OK || LOCAL.has(outcome), `${outcome} of a call of its own`);
}

/** Any frame that the decoder lets pass; most are of a kind and a stream that the other side could send. */
function anyFrame(side: Caller | Servant, script: Script): PlainFrame {
  const isServer = side instanceof Servant;
  const kind = script.pick(script.below(64) === 63 ? KINDS : isServer ? OF_CLIENT : OF_SERVER);
  const isSignal = kind === 'COMPLETE' || kind === 'CANCEL' || kind === 'ACK';
  const flag = isSignal ? 0 : script.below(4);
  const payload = isSignal ? NOTHING : script.pick(PIECES);
  const known = isServer ? side.handed : side.calls.length;
  const isNew = isServer && kind !== 'CANCEL' && script.below(4) > 0;
  const stream = isNew ? known + 1 + script.below(2) : 1 + script.below(Math.min(250, known) || 1);
  const total = flag === 3 ? script.pick(TOTALS) : 0;
  return { kind, more: flag === 1 || flag === 3, last: flag === 2 && kind === 'NEXT', total, stream, payload };
}

/** One after the other, each as it would come out of a record. */
function seal(streams: Streams): readonly PlainFrame[] {
  const frame = nextFrame(streams);
  return frame === undefined ? [] : [frame];
}

function against(side: Caller | Servant, script: Script): string {
  return outcomeOf(() => {
    while (!script.isOver) {
      const choice = script.below(8);
      if (choice < 3) side.act(script);
      else if (choice < 5) seal(side.streams);
      else if (choice < 7) side.streams.receive(asReceived(anyFrame(side, script)), 0);
      else stop(side, script.below(64));
    }
  });
}

function stop({ streams }: Caller | Servant, choice: number): void {
  if (choice === 1) streams.stopTaking();
  if (choice === 2) streams.stopOpening();
  if (choice === 3) streams.stopSending();
  if (choice === 4) streams.shutDown();
}

export const rogueClient: Target = {
  name: 'server streams',
  codes: VIOLATIONS,
  make: (random) => random.bytes(random.below(160)),
  run(input) {
    const servant = new Servant();
    const outcome = against(servant, new Script(input));
    hold(servant.streams.openCount <= MAX_IN_FLIGHT, 'a server with too many streams');
    servant.streams.end();
    hold(servant.streams.isIdle && !servant.streams.hasIncomplete, 'a server that is over has streams');
    return outcome;
  },
};

export const rogueServer: Target = {
  name: 'client streams',
  codes: VIOLATIONS,
  make: (random) => random.bytes(random.below(160)),
  run(input) {
    const caller = new Caller();
    const outcome = against(caller, new Script(input));
    caller.end();
    return outcome;
  },
};

/** Two honest sides: whatever they do, and however it crosses, neither breaks a rule of the other. */
export const bothStreams: Target = {
  name: 'streams of both sides',
  codes: [],
  make: (random) => random.bytes(random.below(250)),
  run(input) {
    const script = new Script(input);
    const caller = new Caller();
    const servant = new Servant();
    const ways = { up: [] as PlainFrame[], down: [] as PlainFrame[] };
    const step = (choice: number): void => {
      if (choice < 2) caller.act(script);
      else if (choice < 4) servant.act(script);
      else if (choice < 6) ways.up.push(...seal(caller.streams));
      else if (choice < 8) ways.down.push(...seal(servant.streams));
      else if (choice < 10) deliver(ways.up, servant.streams);
      else deliver(ways.down, caller.streams);
      hold(servant.streams.openCount <= MAX_IN_FLIGHT && caller.streams.openCount <= MAX_IN_FLIGHT, 'too many streams');
    };
    while (!script.isOver) step(script.below(12));
    for (let round = 0; !(caller.streams.isIdle && servant.streams.isIdle); round++) {
      hold(round < 10_000, 'the two sides never finish');
      servant.answerAll();
      for (const choice of [4, 6, 8, 10]) step(choice);
    }
    hold(!caller.streams.hasIncomplete && !servant.streams.hasIncomplete, 'half a message is left');
    caller.checkAtEnd();
    return OK;
  },
};

function deliver(way: PlainFrame[], to: Streams): void {
  const frame = way.shift();
  if (frame !== undefined) to.receive(asReceived(frame), 0);
}
