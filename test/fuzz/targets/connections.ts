// docs/protocol.md §5: two whole connections that keep every rule, with all that can cross between them.
import type { ConnectionCodec } from '../../../libs/channel/src/connection/codec.js';
import { Connection } from '../../../libs/channel/src/connection/connection.js';
import type { TransportError } from '../../../libs/channel/src/errors.js';
import type { Session } from '../../../libs/channel/src/handshake/index.js';
import type { ClientStreams } from '../../../libs/channel/src/streams/client-streams.js';
import type { ServerStreams } from '../../../libs/channel/src/streams/server-streams.js';
import { resolveLimits } from '../../../libs/channel/src/options/limits.js';
import type { Limits } from '../../../libs/channel/src/options/limits.js';
import { createCodec } from '../../../libs/channel/src/connection/sealing.js';
import { afterConfirm } from '../../support/after-confirm.js';
import { Script } from '../script.js';
import { hold, OK } from '../target.js';
import type { Target } from '../target.js';
import { turn, wire } from '../wire.js';
import type { WireEnd } from '../wire.js';
import { Caller, Servant } from './streams.js';

export const UP = Buffer.alloc(32, 1);
export const DOWN = Buffer.alloc(32, 2);
/** Keys wear out as fast as the protocol allows, so that KEY_UPDATE crosses everything. */
export const CONNECTION_LIMITS: Limits = resolveLimits({ limits: { key: { softRecords: 1, softBytes: 1 } } });
const PIECES = [1, 2, 33, 50, 500, 70_000] as const;

export function sessionOf(role: 'client' | 'server'): Session {
  const [outgoingKey, incomingKey] = role === 'client' ? [UP, DOWN] : [DOWN, UP];
  return { outgoingKey, incomingKey, keyId: Buffer.alloc(8) };
}

const codecOf = (role: 'client' | 'server'): ConnectionCodec => createCodec(sessionOf(role), CONNECTION_LIMITS.key);

/** A connection that notes how it ended. */
export class Watched {
  readonly connection: Connection;
  /** `agreed`, or the code that it ended with. */
  ended: string | undefined;

  constructor(
    role: 'client' | 'server',
    end: WireEnd,
    streams: ClientStreams | ServerStreams,
    codec: ConnectionCodec = codecOf(role),
  ) {
    this.connection = new Connection({
      ...(role === 'client' ? { role, confirm: Buffer.alloc(78) } : { role }),
      socket: end.socket,
      codec,
      streams,
      limits: CONNECTION_LIMITS,
      events: {
        onClosed: (error: TransportError | undefined) => {
          hold(this.ended === undefined, 'a connection that ends twice');
          this.ended = error?.code ?? 'agreed';
        },
      },
    });
  }
}

class Pair {
  readonly #script: Script;
  readonly #ends = wire();
  readonly #caller = new Caller();
  readonly #servant = new Servant();
  readonly #client: Watched;
  readonly #server: Watched;
  #isConfirmed = false;

  constructor(script: Script) {
    this.#script = script;
    const codec = afterConfirm(codecOf('server'), () => {
      this.#isConfirmed = true;
    });
    this.#server = new Watched('server', this.#ends[1], this.#servant.streams, codec);
    this.#client = new Watched('client', this.#ends[0], this.#caller.streams);
  }

  async play(): Promise<void> {
    while (!this.#script.isOver) {
      await this.#step(this.#script.below(32));
      hold(this.#servant.handed === 0 || this.#isConfirmed, 'a request was handed over before CONFIRM');
    }
    for (let round = 0; this.#client.ended === undefined || this.#server.ended === undefined; round++) {
      hold(round < 5000, `never over: client ${this.#client.ended}, server ${this.#server.ended}`);
      if (this.#isConfirmed) void this.#client.connection.close();
      this.#servant.answerAll();
      for (const end of this.#ends) end.deliver(70_000);
      await turn();
    }
    hold(this.#client.ended === 'agreed', `the client ended with ${this.#client.ended}`);
    hold(this.#server.ended === 'agreed', `the server ended with ${this.#server.ended}`);
    this.#caller.checkAtEnd();
    hold(this.#servant.streams.isIdle && this.#caller.streams.isIdle, 'a connection that is over has streams');
  }

  async #step(choice: number): Promise<void> {
    const [up, down] = this.#ends;
    if (choice < 8) up.deliver(this.#script.pick(PIECES));
    else if (choice < 16) down.deliver(this.#script.pick(PIECES));
    else if (choice < 20) await turn();
    else if (choice < 25) this.#caller.act(this.#script);
    else if (choice < 29) this.#servant.act(this.#script);
    else if (choice === 29) this.#ping();
    else if (this.#script.below(8) === 0) this.#close(choice === 30 ? this.#client : this.#server);
  }

  #ping(): void {
    const { connection } = this.#script.below(2) === 0 ? this.#client : this.#server;
    connection.ping().catch(() => undefined); // a connection that ends answers no PING
  }

  /** A server that closes before CONFIRM just leaves, and that is another story. */
  #close({ connection }: Watched): void {
    if (this.#isConfirmed) void connection.close();
  }
}

export const connections: Target = {
  name: 'connections',
  codes: [],
  make: (random) => random.bytes(random.below(random.oneIn(4) ? 1500 : 200)),
  async run(input) {
    await new Pair(new Script(input)).play();
    return OK;
  },
};
