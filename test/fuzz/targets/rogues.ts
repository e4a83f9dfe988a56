// docs/protocol.md §4 and §5: one whole side against somebody who has the key, or has not, and keeps no rule.
import { ServerHandshake } from '../../../libs/channel/src/server/server-handshake.js';
import { receiveMessage2, respond, startInitiator } from '../../../libs/channel/src/handshake/index.js';
import type { Session } from '../../../libs/channel/src/handshake/index.js';
import { createCodec } from '../../../libs/channel/src/connection/sealing.js';
import { decodeContent } from '../../../libs/channel/src/record/content.js';
import { OpeningHalf, SealingHalf } from '../../../libs/channel/src/record/half-connection.js';
import { RecordDecoder } from '../../../libs/channel/src/record/record.js';
import { mutate, pieces } from '../mutate.js';
import { hashText, Random } from '../../support/random.js';
import { hold, OK } from '../target.js';
import type { Target } from '../target.js';
import { turn, wire } from '../wire.js';
import { CONNECTION_LIMITS, sessionOf, Watched } from './connections.js';
import { CLIENT, KEY, SERVER } from './handshake.js';
import type { Origin } from './frames.js';
import { anyInner, KEY_LIMITS } from './records.js';
import { Caller, Servant } from './streams.js';
import { Script } from '../script.js';
import { decodeFrames } from '../../support/frames.js';
import { recordBodies } from '../../support/record-bodies.js';
import { sealRecord } from '../../support/seal-record.js';

const ALERT = Buffer.from('e1534c5701ff0000', 'hex');
const MESSAGE_2_BYTES = 104;
const CONFIRM_TYPE = Buffer.of(7);
const DATA_TYPE = 1;
const CLOSE_TYPE = 3;
const LENGTH_BYTES = 2;
const NOTHING = Buffer.alloc(0);
const ONLY_OF_SERVER = new Set(['NEXT', 'ERROR', 'COMPLETE', 'ACK']);
const ONLY_OF_CLIENT = new Set(['REQUEST', 'EVENT', 'CANCEL', 'CONFIRM']);
const RECORD_CODES = [
  'ERR_CREDIT_FLOOD',
  'ERR_CREDIT_UNEARNED',
  'ERR_FRAME_MALFORMED',
  'ERR_FRAME_UNEXPECTED',
  'ERR_INCOMPLETE_LIMIT',
  'ERR_IN_FLIGHT_LIMIT',
  'ERR_KEY_UPDATE_FLOOD',
  'ERR_MESSAGE_TOO_LARGE',
  'ERR_BAD_MAC',
  'ERR_RECORD_LENGTH',
  'ERR_RECORD_MALFORMED',
  'ERR_RECORD_UNEXPECTED',
  'ERR_TRUNCATED',
];
/** Read from the input by {@link Script}: the words, then the seed of all that is random in a plan. */
const HEAD_BYTES = 4;

/** A peer that seals anything, and checks the answers as strictly as possible. */
class Rogue {
  readonly #random: Random;
  readonly #sealing: SealingHalf;
  readonly #opening: OpeningHalf;
  readonly #decoder = new RecordDecoder();
  readonly heard: string[] = [];
  /** Sums of the `length` fields of DATA records. */
  #sealed = 0;
  #credited = 0;
  /** CLOSE went out as it was sealed. */
  hasClosed = false;
  /** A length that was made longer swallows what follows. */
  #isAltered = false;
  #last: Buffer = NOTHING;

  constructor(random: Random, { outgoingKey, incomingKey }: Session) {
    this.#random = random;
    this.#sealing = new SealingHalf(outgoingKey, KEY_LIMITS, 0);
    this.#opening = new OpeningHalf(incomingKey, KEY_LIMITS, 0);
  }

  seal(inner: Buffer): Buffer {
    const record = sealRecord(this.#sealing, inner);
    if (inner[0] === DATA_TYPE) this.#sealed += record.length - LENGTH_BYTES;
    if (inner[0] === 2 && !this.#random.oneIn(16)) this.#sealing.updateKey(0);
    const before = this.#last;
    this.#last = record;
    switch (this.#random.below(300)) {
      case 0:
        this.#isAltered = true;
        return mutate(record, this.#random);
      case 1: // once more, in place of the next
        return before;
      case 2: // one that never arrives
        return NOTHING;
      default:
        this.hasClosed ||= inner[0] === CLOSE_TYPE && !this.#isAltered;
        return record;
    }
  }

  #checkCredit(taken: number): void {
    hold(taken - this.#credited >= 65_536, 'a CREDIT that rises too little');
    hold(taken <= this.#sealed, 'a CREDIT that was never earned');
    this.#credited = taken;
  }

  /** @throws The error with which an honest peer would end the connection. */
  hear(bytes: Buffer): void {
    for (const body of recordBodies(this.#decoder, bytes)) {
      hold(this.heard.at(-1) !== 'CLOSE', 'a record after CLOSE');
      const content = decodeContent(this.#opening.open(body, 0));
      if (content.type === 'CREDIT') this.#checkCredit(content.taken);
      if (content.type === 'KEY_UPDATE') this.#opening.updateKey(0);
      if (content.type === 'DATA') for (const { kind } of decodeFrames(content.frames)) this.heard.push(kind);
      else this.heard.push(content.type);
    }
  }
}

/** Any record after CLOSE ends the connection, even before it is opened. */
function say(rogue: Rogue, inner: Buffer, hasEnded: () => boolean, send: (bytes: Buffer) => void): void {
  const { hasClosed } = rogue;
  const bytes = rogue.seal(inner);
  send(bytes);
  if (hasClosed && bytes.length > 0) hold(hasEnded(), 'a record behind CLOSE was taken');
}

class RogueClient {
  readonly #random: Random;
  readonly #script: Script;
  readonly #servant = new Servant();
  readonly #ends = wire();
  readonly #handshake: ServerHandshake;
  #watched: Watched | undefined;
  #failed: string | undefined;
  #rogue: Rogue | undefined;
  #streams = 0;

  constructor(input: Buffer) {
    this.#script = new Script(input);
    this.#random = new Random(hashText(this.#script.bytes(HEAD_BYTES).toString('hex')));
    this.#handshake = new ServerHandshake({
      socket: this.#ends[1].socket,
      handshakeTimeoutMs: 60_000,
      respond: (message1) => {
        const { message2, session, verifier } = respond(() => KEY.psk, SERVER, message1);
        return { message2, keyId: session.keyId, codec: createCodec(session, CONNECTION_LIMITS.key), verifier };
      },
      findHolder: () => ({}),
      onMessage2Sent: () => undefined,
      onAuthenticated: ({ codec }, rest) => {
        this.#watched = new Watched('server', this.#ends[1], this.#servant.streams, codec);
        this.#watched.connection.receive(rest);
      },
      onFailed: (error) => {
        this.#failed = error.code;
      },
    });
  }

  async play(): Promise<string> {
    const { state, message1 } = startInitiator(KEY, CLIENT);
    this.#send(this.#script.below(16) === 0 ? mutate(message1, this.#random) : message1);
    const reply = this.#ends[1].take();
    if (reply.length !== MESSAGE_2_BYTES) return this.#endOfStranger(reply);
    const session = receiveMessage2(state, reply);
    this.#rogue = new Rogue(this.#random, session);
    if (this.#script.below(16) > 0) this.#send(this.#rogue.seal(this.#confirm(session.confirm)));
    while (!this.#script.isOver && this.#ended === undefined) await this.#step(this.#rogue);
    return this.#endOfConnection(this.#rogue);
  }

  /** `agreed`, or the code that the handshake or the connection ended with. */
  get #ended(): string | undefined {
    return this.#failed ?? this.#watched?.ended;
  }

  #confirm(body: Buffer): Buffer {
    const inner = Buffer.concat([CONFIRM_TYPE, body]);
    return this.#script.below(16) === 0 ? mutate(inner, this.#random) : inner;
  }

  /** Streams are opened one after the other, and some fragments go to one that is open. */
  get #origin(): Origin {
    return {
      side: 'client',
      stream: (opens) => {
        if (!opens || this.#random.oneIn(8)) return 1 + this.#random.below(this.#streams || 1);
        this.#streams += 1;
        return this.#streams;
      },
    };
  }

  async #step(rogue: Rogue): Promise<void> {
    switch (this.#script.below(6)) {
      case 0:
        this.#servant.act(this.#script);
        return;
      case 1:
        await turn();
        rogue.hear(this.#ends[1].take());
        return;
      case 2:
        if (this.#script.below(16) === 0) void this.#watched?.connection.close();
        return;
      default:
        say(
          rogue,
          anyInner(this.#random, this.#origin),
          () => this.#ended !== undefined,
          (bytes) => this.#send(bytes),
        );
    }
    hold(this.#servant.handed === 0 || this.#watched !== undefined, 'a handler ran before CONFIRM');
  }

  #send(bytes: Buffer): void {
    for (const piece of pieces(bytes, this.#script.pick([1000, 1, 40]), this.#random)) this.#ends[1].receive(piece);
  }

  /** The alert and nothing else, or silence while message 1 is not complete. */
  #endOfStranger(reply: Buffer): string {
    hold(this.#failed === undefined ? reply.length === 0 : reply.equals(ALERT), `${reply.length} bytes for a stranger`);
    if (this.#failed !== undefined) return this.#failed;
    this.#handshake.evict();
    return this.#failed ?? 'no end';
  }

  async #endOfConnection(rogue: Rogue): Promise<string> {
    await turn();
    rogue.hear(this.#ends[1].take());
    const { handed } = this.#servant;
    if (this.#ended === undefined) this.#ends[1].emit('end');
    await turn();
    this.#ends[1].destroy();
    await turn();
    hold(this.#ended !== undefined, 'a connection that never ends');
    hold(this.#servant.handed === handed, 'a handler ran after the end');
    hold(this.#servant.streams.isIdle, 'a connection that is over has streams');
    if (this.#watched === undefined) hold(rogue.heard.length === 0, 'a stranger got an answer');
    hold(
      rogue.heard.every((word) => !ONLY_OF_CLIENT.has(word)),
      'a word of a client',
    );
    return this.#ended === 'agreed' ? OK : (this.#ended ?? OK);
  }
}

export const servers: Target = {
  name: 'servers',
  codes: [
    ...RECORD_CODES,
    'ERR_HANDSHAKE_MALFORMED',
    'ERR_EARLY_BYTES',
    'ERR_INSTANCE_PROOF',
    'ERR_PEER_LIMITS',
    'ERR_STRANGER_EVICTED',
  ],
  make: (random) => random.bytes(HEAD_BYTES + random.below(120)),
  run: (input) => new RogueClient(input).play(),
};

export const clients: Target = {
  name: 'clients',
  codes: [...RECORD_CODES, 'ERR_CONNECTION_LOST'],
  make: (random) => random.bytes(HEAD_BYTES + random.below(120)),
  async run(input) {
    const script = new Script(input);
    const random = new Random(hashText(script.bytes(HEAD_BYTES).toString('hex')));
    const [, end] = wire();
    const caller = new Caller();
    const watched = new Watched('client', end, caller.streams);
    const rogue = new Rogue(random, sessionOf('server'));
    const origin: Origin = { side: 'server', stream: () => 1 + random.below(caller.calls.length || 1) };
    while (!script.isOver && watched.ended === undefined) {
      const choice = script.below(6);
      if (choice === 0) caller.act(script);
      else if (choice === 1) await turn();
      else if (choice === 2 && script.below(16) === 0) void watched.connection.close();
      else
        say(
          rogue,
          anyInner(random, origin),
          () => watched.ended !== undefined,
          (bytes) => {
            for (const piece of pieces(bytes, script.pick([1000, 1, 40]), random)) end.receive(piece);
          },
        );
      rogue.hear(end.take());
    }
    await turn();
    rogue.hear(end.take());
    if (watched.ended === undefined) end.emit('end');
    await turn();
    end.destroy();
    await turn();
    hold(watched.ended !== undefined, 'a connection that never ends');
    caller.checkAtEnd();
    hold(rogue.heard.length === 0 || rogue.heard[0] === 'CONFIRM', 'a client that does not begin with CONFIRM');
    hold(
      rogue.heard.every((word) => !ONLY_OF_SERVER.has(word)),
      'a word of a server',
    );
    return watched.ended === 'agreed' ? OK : (watched.ended ?? OK);
  },
};
