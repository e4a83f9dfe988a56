import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

import type { KeyDescription } from '@sealwire/crypto';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';

import { wire } from '../../../../test/fuzz/wire.js';
import { sealRecord } from '../../../../test/support/seal-record.js';
import { takeCodec } from '../connection/sealing.js';
import { KeyPair, receiveMessage2, respond, startInitiator } from '../handshake/index.js';
import { TransportError } from '../errors.js';
import { SOCKET_OPTIONS } from '../options/endpoint.js';
import { resolveLimits } from '../options/limits.js';
import { SealingHalf } from '../record/half-connection.js';
import { ServerHandshake } from './server-handshake.js';
import type { AuthenticatedClient, Reply } from './server-handshake.js';

const KEY = { keyId: Buffer.alloc(8, 1), psk: Buffer.alloc(32, 0x6b) };
const LIMITS = { unixMs: 0, maxMessageBytes: 65_536, maxInFlight: 1, maxIncompleteBytes: 0 };
const CLIENT = { service: 'orders', instance: KeyPair.generate(), announcement: { ...LIMITS, maxInFlight: 0 } };
const SERVER = { service: 'orders', instanceId: Buffer.alloc(16, 0xbb), announcement: LIMITS };
const ALERT = 'e1534c5701ff0000';
const CONFIRM_TYPE = 7;

const servers: Server[] = [];
const sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

/** A stranger's socket and the server's; `failed` resolves with the code. */
async function accept(): Promise<{ stranger: Socket; accepted: Socket; failed: Promise<string> }> {
  const server = createServer(SOCKET_OPTIONS).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const connection = once(server, 'connection') as Promise<[Socket]>;
  const stranger = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', ...SOCKET_OPTIONS });
  const [accepted] = await connection;
  sockets.push(stranger, accepted);
  const failed = new Promise<string>((resolve) => {
    const unreachable = (): never => expect.unreachable('nobody sends a whole message 1 here');
    const fail = ({ code }: { code: string }): void => resolve(code);
    const unreached = {
      respond: unreachable,
      findHolder: unreachable,
      onMessage2Sent: unreachable,
      onAuthenticated: unreachable,
    };
    void new ServerHandshake({ socket: accepted, handshakeTimeoutMs: 5_000, ...unreached, onFailed: fail });
  });
  return { stranger, accepted, failed };
}

describe('a server handshake', () => {
  it('leaves other listeners on the socket', async () => {
    const { stranger, accepted, failed } = await accept();
    const closed = once(accepted, 'close');
    stranger.resume().write('GET');
    expect(await failed).toBe('ERR_HANDSHAKE_MALFORMED');
    await closed;
    expect(accepted.listenerCount('data')).toBe(0);
  });

  it('identifies another protocol, also if its first bytes are more than message 1 has [R4.2]', async () => {
    const { stranger, failed } = await accept();
    stranger.resume().write('x'.repeat(5_000));
    expect(await failed).toBe('ERR_HANDSHAKE_MALFORMED');
  });

  it('survives socket events after its failure', async () => {
    const { stranger, accepted, failed } = await accept();
    stranger.resume().write('GET');
    await failed;
    expect(() => accepted.emit('error', new Error('late'))).not.toThrow();
  });
});

/** A server's handshake over a wire without a network, and what it has come to. */
class Meeting {
  readonly #ends = wire();
  readonly handshake: ServerHandshake;
  readonly #initiator = startInitiator(KEY, CLIENT);
  findHolder = (): KeyDescription => ({ label: 'billing' });
  answer: Reply | undefined;
  accepted: AuthenticatedClient | undefined;
  rest = '';
  failed: string | undefined;
  #sealing: SealingHalf | undefined;
  #confirm: Buffer = Buffer.alloc(0);

  constructor() {
    this.handshake = new ServerHandshake({
      socket: this.#ends[1].socket,
      handshakeTimeoutMs: 60_000,
      respond: (message1) => {
        const { message2, session, verifier } = respond(() => KEY.psk, SERVER, message1);
        this.answer = { message2, keyId: session.keyId, codec: takeCodec(session, resolveLimits({}).key), verifier };
        return this.answer;
      },
      findHolder: () => this.findHolder(),
      onMessage2Sent: () => undefined,
      onAuthenticated: (accepted, rest) => {
        this.accepted = accepted;
        this.rest = rest.toString('hex');
      },
      onFailed: ({ code }) => {
        this.failed = code;
      },
    });
  }

  get message1(): Buffer {
    return this.#initiator.message1;
  }

  get isDestroyed(): boolean {
    return this.#ends[1].destroyed;
  }

  get said(): string {
    return this.#ends[1].take().toString('hex');
  }

  send(...pieces: readonly Buffer[]): void {
    for (const piece of pieces) this.#ends[1].receive(piece);
  }

  /** Message 1 goes, message 2 comes: CONFIRM is next. */
  shakeHands(): this {
    this.send(this.message1);
    const { outgoingKey, confirm } = receiveMessage2(this.#initiator.state, this.#ends[1].take());
    this.#sealing = new SealingHalf(outgoingKey, resolveLimits({}).key, 0);
    this.#confirm = confirm;
    return this;
  }

  /** CONFIRM as a record, with another body or type if those are given. */
  confirm(change: (body: Buffer) => Buffer = (body) => body, type = CONFIRM_TYPE): Buffer {
    const inner = Buffer.concat([Buffer.of(type), change(Buffer.from(this.#confirm))]);
    return this.#sealing === undefined ? Buffer.alloc(0) : sealRecord(this.#sealing, inner);
  }
}

const cutAt = (bytes: Buffer, at: number): [Buffer, Buffer] => [bytes.subarray(0, at), bytes.subarray(at)];

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
  return copy;
}

describe('the way from message 1 to an open connection', () => {
  it('is the same wherever message 1 and CONFIRM are split', () => {
    for (let at = 1; at < 80; at++) {
      const meeting = new Meeting();
      meeting.send(...cutAt(meeting.message1, at));
      expect(meeting.said, `message 1 cut at ${at}`).toHaveLength(2 * 104);
    }
    for (let at = 1; at < 98; at++) {
      const meeting = new Meeting().shakeHands();
      meeting.send(...cutAt(meeting.confirm(), at));
      expect(meeting.accepted?.instanceKey, `CONFIRM cut at ${at}`).toEqual(CLIENT.instance.publicKey);
    }
  });

  it('hands over the bytes after CONFIRM, and reads none of them before [R4.13]', () => {
    const behind = Buffer.from('not a record');
    for (let at = 1; at < 98 + behind.length; at++) {
      const meeting = new Meeting().shakeHands();
      meeting.send(...cutAt(Buffer.concat([meeting.confirm(), behind]), at));
      const unsent = Math.max(0, at - 98); // what comes later belongs to the connection
      expect(meeting.rest, `cut at ${at}`).toBe(behind.toString('hex', 0, at < 98 ? behind.length : unsent));
      expect(meeting.failed).toBeUndefined();
    }
  });

  it('accepts as many bytes after CONFIRM as one read brings, without a failure [R4.25]', () => {
    const meeting = new Meeting().shakeHands();
    meeting.send(Buffer.concat([meeting.confirm(), Buffer.alloc(262_144)]));
    expect(meeting.rest).toHaveLength(2 * 262_144);
    expect(meeting.accepted?.announcement).toEqual(CLIENT.announcement);
  });

  it('sends only message 2, and exposes no client data before CONFIRM was verified [R4.11] [R4.24]', () => {
    const meeting = new Meeting().shakeHands();
    meeting.send(meeting.confirm().subarray(0, 97));
    expect([meeting.said, meeting.accepted]).toEqual(['', undefined]);
  });

  it.each([
    ['an extra byte after it', (message1: Buffer) => Buffer.concat([message1, Buffer.alloc(1)]), 'ERR_EARLY_BYTES'],
    ['a wrong tag', (message1: Buffer) => flipped(message1, 79), 'ERR_BAD_MAC'],
    ['another version', (message1: Buffer) => flipped(message1, 4), 'ERR_HANDSHAKE_MALFORMED'],
    ['the type of a hybrid', (message1: Buffer) => flipped(message1, 5).fill(3, 5, 6), 'ERR_HANDSHAKE_MALFORMED'],
    ['the length of another', (message1: Buffer) => flipped(message1, 7), 'ERR_HANDSHAKE_MALFORMED'],
  ])('ends with the alert after a message 1 with %s [R4.10] [R4.17] [R8.3]', (_, change, code) => {
    const meeting = new Meeting();
    meeting.send(change(meeting.message1));
    expect([meeting.failed, meeting.said]).toEqual([code, ALERT]);
  });

  it.each<[string, (meeting: Meeting) => Buffer, string]>([
    ['announces 80 bytes [R4.12]', () => Buffer.of(0, 80), 'ERR_RECORD_LENGTH'],
    ['announces 112 bytes [R4.12]', () => Buffer.of(0, 112), 'ERR_RECORD_LENGTH'],
    ['has a wrong tag', (meeting) => flipped(meeting.confirm(), 97), 'ERR_BAD_MAC'],
    ['is of another session', () => new Meeting().shakeHands().confirm(), 'ERR_BAD_MAC'],
    ['is DATA [R5.5]', (meeting) => meeting.confirm(undefined, 1), 'ERR_RECORD_UNEXPECTED'],
    ['is of no known type [R5.4]', (meeting) => meeting.confirm(undefined, 9), 'ERR_RECORD_MALFORMED'],
    ['is a byte short [R5.4]', (meeting) => meeting.confirm((body) => body.subarray(1)), 'ERR_RECORD_MALFORMED'],
    [
      'proves a point of low order [R4.7]',
      (meeting) => meeting.confirm((body) => body.fill(0, 0, 32)),
      'ERR_HANDSHAKE_MALFORMED',
    ],
    ['has another S', (meeting) => meeting.confirm((body) => flipped(body, 0)), 'ERR_INSTANCE_PROOF'],
    ['has another proof', (meeting) => meeting.confirm((body) => flipped(body, 47)), 'ERR_INSTANCE_PROOF'],
    [
      'chooses a feature [R4.4]',
      (meeting) => meeting.confirm((body) => flipped(body, 48 + 23)),
      'ERR_HANDSHAKE_MALFORMED',
    ],
    ['announces too little [R4.5]', (meeting) => meeting.confirm((body) => body.fill(0, 56, 60)), 'ERR_PEER_LIMITS'],
  ])('ends silently after a CONFIRM that %s [R4.18] [R4.30]', (_, record, code) => {
    const meeting = new Meeting().shakeHands();
    meeting.send(record(meeting), Buffer.alloc(64));
    expect([meeting.failed, meeting.said, meeting.isDestroyed]).toEqual([code, '', true]);
    expect(meeting.accepted).toBeUndefined();
  });

  it('looks up the description of the key when CONFIRM has arrived', () => {
    const meeting = new Meeting().shakeHands();
    meeting.findHolder = () => ({ label: 'renamed', patterns: ['sum'] });
    meeting.send(meeting.confirm());
    expect(meeting.accepted?.holder).toEqual({ label: 'renamed', patterns: ['sum'] });
  });

  it('ends silently at CONFIRM if the key was removed since message 1', () => {
    const meeting = new Meeting().shakeHands();
    meeting.findHolder = () => {
      throw new TransportError('ERR_UNKNOWN_KEY', 'removed');
    };
    meeting.send(meeting.confirm(), Buffer.alloc(64));
    expect([meeting.failed, meeting.said, meeting.isDestroyed]).toEqual(['ERR_UNKNOWN_KEY', '', true]);
    expect(meeting.accepted).toBeUndefined();
  });

  it('does no Diffie-Hellman for a CONFIRM whose tag is wrong [R4.30]', () => {
    const meeting = new Meeting().shakeHands();
    const record = meeting.confirm();
    const agree = vi.spyOn(KeyPair.prototype, 'sharedSecret');
    onTestFinished(() => agree.mockRestore());
    meeting.send(flipped(record, 97));
    expect(agree).not.toHaveBeenCalled();
  });

  it('keeps no key of a client that sent no CONFIRM [R4.23]', () => {
    const meeting = new Meeting().shakeHands();
    const record = meeting.confirm();
    meeting.handshake.evict();
    expect([meeting.failed, meeting.said, meeting.isDestroyed]).toEqual(['ERR_STRANGER_EVICTED', '', true]);
    const { codec, verifier } = meeting.answer ?? expect.unreachable('it was answered');
    expect(() => codec.deserializer.deserialize(record.subarray(2))).toThrow('A key has reached its hard limit');
    expect(() => verifier.verify(Buffer.alloc(78))).toThrow('Unexpected second CONFIRM');
  });
});
