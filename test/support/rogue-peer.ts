import { EventEmitter, once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';

import { KeyPair, receiveMessage2, respond, startInitiator } from '../../libs/channel/src/handshake/index.js';
import type { Announcement, ClientSession, InitiatorState, Session } from '../../libs/channel/src/handshake/index.js';
import { resolveLimits } from '../../libs/channel/src/options/limits.js';
import { OpeningHalf, SealingHalf } from '../../libs/channel/src/record/half-connection.js';
import { RecordDecoder } from '../../libs/channel/src/record/record.js';
import { keyring } from './pair.js';
import { CLOSE, inner, wordsOf } from './rogue-words.js';
import { recordBodies } from './record-bodies.js';
import { sealRecord } from './seal-record.js';

const MESSAGE_1_BYTES = 80;
const MESSAGE_2_BYTES = 104;
const ALERT = Buffer.from('e1534c5701ff0000', 'hex');
const SERVICE = 'default';

export const KEY = { keyId: Buffer.from(keyring.primary.idBytes), psk: Buffer.from(keyring.primary.psk()) };
/** The instance id of every rogue server. */
export const SERVER_ID = Buffer.alloc(16, 0x52);
export const HONEST: Announcement = {
  unixMs: 0,
  maxMessageBytes: 8_388_608,
  maxInFlight: 64,
  maxIncompleteBytes: 67_108_864,
};

/** The other side left without the word that was waited for. */
export class NeverHeard extends Error {
  override readonly name = 'NeverHeard';
}

/** Holds the key, speaks the protocol in either role, and breaks it on request. It notes everything that it receives. */
export class RoguePeer {
  /** The received messages as words: `alert`, `message 1`, `message 2`, types of records, kinds and streams of frames. */
  readonly words: string[] = [];
  readonly socket: Socket;
  /** The instance key that a client proves in CONFIRM. */
  readonly instance: KeyPair;
  /** The other side ended the stream, or the socket is gone. */
  readonly left: Promise<void>;
  readonly #role: 'client' | 'server';
  readonly #heard = new EventEmitter();
  #hasLeft = false;
  #unread: Buffer = Buffer.alloc(0);
  #initiator: InitiatorState | undefined;
  #message1: Buffer = Buffer.alloc(0);
  #sealing: SealingHalf | undefined;
  #opening: OpeningHalf | undefined;
  readonly #decoder = new RecordDecoder();
  #confirm: Buffer | undefined;

  constructor(role: 'client' | 'server', socket: Socket, instance = KeyPair.generate()) {
    this.#role = role;
    this.instance = instance;
    this.socket = socket;
    this.left = new Promise((resolve) => {
      for (const ended of ['end', 'error', 'close']) {
        socket.on(ended, () => {
          this.#hasLeft = true;
          this.#heard.emit('change');
          resolve();
        });
      }
    });
    socket.on('data', (chunk: Buffer) => this.#hear(chunk));
  }

  static async dial(port: number, instance?: KeyPair): Promise<RoguePeer> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    await once(socket, 'connect');
    return new RoguePeer('client', socket, instance);
  }

  write(...bytes: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(bytes));
  }

  /** An honest message 1, and the announcement for CONFIRM; `key` and `service` may differ from those of the other side. */
  message1(announcement: Partial<Announcement> = {}, key = KEY, service = SERVICE): Buffer {
    const honest = { ...HONEST, maxInFlight: 0, ...announcement };
    const { state, message1 } = startInitiator(key, { service, announcement: honest, instance: this.instance });
    this.#initiator = state;
    return message1;
  }

  /** The answer to the message 1 that was received. */
  message2(announcement: Partial<Announcement> = {}): Buffer {
    const options = { service: SERVICE, instanceId: SERVER_ID, announcement: { ...HONEST, ...announcement } };
    const { message2, session } = respond(() => KEY.psk, options, this.#message1);
    this.#open(session);
    return message2;
  }

  /**
   * The inner of CONFIRM: of a client, the honest one, once message 2 was received; of a server, the received one.
   * `body` takes the place of the 78 bytes.
   */
  confirm(body: (honest: Buffer) => Buffer = (honest) => honest): Buffer {
    if (this.#confirm === undefined) throw new TypeError('There is no CONFIRM yet');
    return inner('CONFIRM', body(Buffer.from(this.#confirm)));
  }

  sealed(...inners: readonly Buffer[]): Buffer {
    const half = this.#sealing;
    if (half === undefined) throw new TypeError('There is no session yet');
    return Buffer.concat(inners.map((each) => sealRecord(half, each)));
  }

  say(...inners: readonly Buffer[]): void {
    this.write(this.sealed(...inners));
  }

  /** The next record is sealed under the next key. */
  updateKey(): void {
    this.#sealing?.updateKey(0);
  }

  /** Resolves as soon as the word has arrived; rejects when the other side has left without it. */
  async hears(word: string): Promise<void> {
    while (!this.words.includes(word)) {
      if (this.#hasLeft) throw new NeverHeard(`${word} never arrived, only ${this.words.join(', ')}`);
      await once(this.#heard, 'change');
    }
  }

  /** Closes the session gracefully. */
  leave(): void {
    this.say(CLOSE);
    this.socket.end();
  }

  #openAsClient(session: ClientSession): void {
    this.#confirm = session.confirm;
    this.#open(session);
  }

  #open({ outgoingKey, incomingKey }: Session): void {
    const { key } = resolveLimits({});
    this.#sealing = new SealingHalf(outgoingKey, key, 0);
    this.#opening = new OpeningHalf(incomingKey, key, 0);
  }

  /** Bytes that cannot be opened end this side, as on any other: every wait for a word rejects. */
  #hear(chunk: Buffer): void {
    try {
      this.#read(chunk);
    } catch (error) {
      this.socket.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #read(chunk: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, chunk]);
    if (!this.words.some((word) => word.startsWith('message'))) this.#hearHandshake();
    if (this.#opening !== undefined) this.#hearRecords(this.#opening);
  }

  #hearHandshake(): void {
    if (this.#role === 'server' && this.#unread.length >= MESSAGE_1_BYTES) {
      this.#message1 = this.#take(MESSAGE_1_BYTES);
      this.#note('message 1');
    } else if (this.#unread.subarray(0, ALERT.length).equals(ALERT)) {
      this.#take(ALERT.length);
      this.#note('alert');
    } else if (this.#role === 'client' && this.#unread.length >= MESSAGE_2_BYTES) {
      const message2 = this.#take(MESSAGE_2_BYTES);
      if (this.#initiator !== undefined) this.#openAsClient(receiveMessage2(this.#initiator, message2));
      this.#note('message 2');
    }
  }

  #hearRecords(opening: OpeningHalf): void {
    for (const body of recordBodies(this.#decoder, this.#take(this.#unread.length))) {
      const opened = opening.open(body, 0);
      for (const word of wordsOf(opened)) {
        if (word === 'CONFIRM') this.#confirm = opened.subarray(1);
        if (word === 'KEY_UPDATE') opening.updateKey(0);
        this.#note(word);
      }
    }
  }

  #take(bytes: number): Buffer {
    const taken = this.#unread.subarray(0, bytes);
    this.#unread = this.#unread.subarray(bytes);
    return taken;
  }

  #note(word: string): void {
    this.words.push(word);
    this.#heard.emit('change');
  }
}
