// Faults up to CONFIRM: docs/protocol.md §4.
import { writeFirst, beginNnpsk0 } from '../../../libs/channel/src/handshake/nnpsk0.js';
import { encodeHeader, encodeMessage1, encodePrologue } from '../../../libs/channel/src/handshake/messages.js';
import { encodePayload1 } from '../../../libs/channel/src/handshake/payload.js';
import { KeyPair } from '@sealwire/crypto/internal';
import { SUITE } from '../../../libs/channel/src/record/record.js';
import type { ClientFault } from '../../support/fault.js';
import { KEY } from '../../support/rogue-peer.js';
import type { RoguePeer } from '../../support/rogue-peer.js';
import { credit, GOAWAY, inner, KEY_UPDATE, PING, request } from '../../support/rogue-words.js';

export const ALERT = Buffer.from('e1534c5701ff0000', 'hex');
export const LOW_ORDER = {
  '0': Buffer.alloc(32),
  '1': Buffer.alloc(32).fill(1, 0, 1),
  'of order 8': Buffer.from('e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800', 'hex'),
  'of order 8, the other': Buffer.from('5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157', 'hex'),
  'p - 1': Buffer.from(`ec${'ff'.repeat(30)}7f`, 'hex'),
  p: Buffer.from(`ed${'ff'.repeat(30)}7f`, 'hex'),
  'p + 1': Buffer.from(`ee${'ff'.repeat(30)}7f`, 'hex'),
};

/** Sealed as it should be; the payload and the public key are what they are. */
function crafted(payload: Buffer, publicKey = KeyPair.generate().publicKey): Buffer {
  const header = encodeHeader(KEY.keyId);
  const prologue = encodePrologue(header, 'default');
  const symmetric = beginNnpsk0({ suite: SUITE, prologue, psk: KEY.psk });
  return encodeMessage1(header, writeFirst(symmetric, { publicKey } as KeyPair, payload));
}

export function changed(message: Buffer, at: number, bytes: Buffer): Buffer {
  const copy = Buffer.from(message);
  bytes.copy(copy, at);
  return copy;
}

const PAYLOAD_1 = encodePayload1();
const refused = { at: 'connected', hears: ['alert'] } as const;
const beforeConfirm = { at: 'handshaken' } as const;

/** Faults of a stranger at a server. */
export const STRANGER_FAULTS: readonly ClientFault[] = [
  ...[0, 1, 2, 3, 4, 5, 6, 7].map((at): ClientFault => {
    const name = `sends byte ${at} of the preamble wrong, and no more [R4.2]`;
    const does: ClientFault['does'] = (rogue) => {
      const start = rogue.message1().subarray(0, at + 1);
      rogue.write(changed(start, at, Buffer.of(start.readUInt8(at) ^ 0x80)));
    };
    return { at: 'connected', hears: ['alert'], name, does, ends: 'ERR_HANDSHAKE_MALFORMED' };
  }),
  {
    ...refused,
    name: 'sends plain HTTP of more bytes than message 1 has [R4.2]',
    does: (rogue) => rogue.write(Buffer.from(`GET / HTTP/1.1\r\nHost: ${'x'.repeat(200)}\r\n\r\n`)),
    ends: 'ERR_HANDSHAKE_MALFORMED',
  },
  {
    ...refused,
    name: 'does not read the alert [R4.17]',
    does: (rogue) => {
      rogue.socket.pause();
      rogue.write(Buffer.alloc(1));
    },
    ends: 'ERR_HANDSHAKE_MALFORMED',
  },
  {
    ...refused,
    name: 'sends message 2 first',
    does: (rogue) => rogue.write(changed(rogue.message1(), 5, Buffer.of(2, 0, 0x60))),
    ends: 'ERR_HANDSHAKE_MALFORMED',
  },
  {
    ...refused,
    name: 'sends an alert',
    does: (rogue) => rogue.write(ALERT),
    ends: 'ERR_HANDSHAKE_MALFORMED',
  },
  {
    ...refused,
    name: 'sends one byte after message 1 [R4.10]',
    does: (rogue) => rogue.write(rogue.message1(), Buffer.alloc(1)),
    ends: 'ERR_EARLY_BYTES',
  },
  {
    ...refused,
    name: 'sends CONFIRM after message 1, before message 2 [R4.10]',
    does: (rogue) => rogue.write(rogue.message1(), Buffer.of(0, 96), Buffer.alloc(96, 7)),
    ends: 'ERR_EARLY_BYTES',
  },
  {
    ...refused,
    name: 'alters the tag of payload 1 [R3.5]',
    does: (rogue) => rogue.write(changed(rogue.message1(), 79, Buffer.of(0))),
    ends: 'ERR_BAD_MAC',
  },
  {
    ...refused,
    name: 'names an unknown key id [R4.8]',
    does: (rogue) => rogue.write(rogue.message1({}, { ...KEY, keyId: Buffer.alloc(8, 1) })),
    ends: 'ERR_UNKNOWN_KEY',
  },
  {
    ...refused,
    name: 'holds another key',
    does: (rogue) => rogue.write(rogue.message1({}, { ...KEY, psk: Buffer.alloc(32, 1) })),
    ends: 'ERR_BAD_MAC',
  },
  {
    ...refused,
    name: 'uses another service name [R4.6]',
    does: (rogue) => rogue.write(rogue.message1({}, KEY, 'other')),
    ends: 'ERR_BAD_MAC',
  },
  {
    ...refused,
    name: 'speaks version 2 [R8.3]',
    does: (rogue) => rogue.write(changed(rogue.message1(), 4, Buffer.of(2))),
    ends: 'ERR_HANDSHAKE_MALFORMED',
  },
  {
    ...refused,
    name: 'sends the first message of a hybrid [R8.3]',
    does: (rogue) => rogue.write(changed(rogue.message1(), 5, Buffer.of(3))),
    ends: 'ERR_HANDSHAKE_MALFORMED',
  },
  {
    ...refused,
    name: 'seals a payload that is one byte too short [R4.21]',
    does: (rogue) => rogue.write(crafted(PAYLOAD_1.subarray(1))),
    ends: 'ERR_HANDSHAKE_MALFORMED',
  },
  ...Object.entries(LOW_ORDER).map(([point, publicKey]): ClientFault => {
    const name = `sends the point ${point} as its public key [R4.7]`;
    const does: ClientFault['does'] = (rogue) => rogue.write(crafted(PAYLOAD_1, publicKey));
    return { at: 'connected', hears: ['alert'], name, does, ends: 'ERR_HANDSHAKE_MALFORMED' };
  }),
  {
    ...refused,
    name: 'sends message 1 byte by byte, too slowly [R4.14]',
    options: { timeouts: { handshakeMs: 1_000 } },
    does: (rogue) => {
      const bytes = [...rogue.message1()];
      // Slow enough for a deadline that is late and moves by a second.
      const drip = setInterval(() => rogue.write(Buffer.of(bytes.shift() ?? 0)), 100);
      void rogue.left.then(() => clearInterval(drip));
    },
    ends: 'ERR_HANDSHAKE_TIMEOUT',
  },
  {
    at: 'connected',
    name: 'ends in the middle of message 1',
    does: (rogue) => void rogue.socket.end(rogue.message1().subarray(0, 50)),
    ends: 'ERR_TRUNCATED',
    hears: ['alert'],
  },
];

const OTHER_S = KeyPair.generate().publicKey;
const flip = (bytes: Buffer, at: number): Buffer => Buffer.of(bytes.readUInt8(at) ^ 0x80);

/** A CONFIRM that is sealed as it should be, with a genuine request behind it. */
function confirms(how: string, change: (body: Buffer) => Buffer, ends: string): ClientFault {
  const does: ClientFault['does'] = (rogue) => rogue.say(rogue.confirm(change), request());
  return { ...beforeConfirm, name: `sends CONFIRM ${how}`, does, ends };
}

/** Faults of a peer that may have replayed message 1, at a server. */
export const UNCONFIRMED_FAULTS: readonly ClientFault[] = [
  {
    ...beforeConfirm,
    name: 'sends message 1 again in place of CONFIRM [R4.12]',
    does: (rogue) => rogue.write(rogue.message1()),
    ends: 'ERR_RECORD_LENGTH',
  },
  {
    ...beforeConfirm,
    name: 'forges CONFIRM, followed by a genuine request [R4.13]',
    does: (rogue) => {
      rogue.sealed(rogue.confirm());
      rogue.write(Buffer.of(0, 96), Buffer.alloc(96, 7), rogue.sealed(request()));
    },
    ends: 'ERR_BAD_MAC',
  },
  ...[32, 80, 95, 97, 112, 65_520].map((length): ClientFault => {
    const name = `announces a first record of ${length} bytes, and no more [R4.12]`;
    const does: ClientFault['does'] = (rogue) => rogue.write(Buffer.of(length >> 8, length & 0xff));
    return { at: 'handshaken', name, does, ends: 'ERR_RECORD_LENGTH' };
  }),
  ...Object.entries({ KEY_UPDATE, GOAWAY, PING, CREDIT: credit(65_536), 'an empty inner': Buffer.alloc(0) }).map(
    ([what, first]) => ({
      at: 'handshaken' as const,
      name: `sends ${what} in place of CONFIRM, of another length [R4.12]`,
      does: (rogue: RoguePeer) => rogue.say(first),
      ends: 'ERR_RECORD_LENGTH',
    }),
  ),
  {
    ...beforeConfirm,
    name: 'sends DATA of the length of CONFIRM [R5.5]',
    does: (rogue) => rogue.say(inner('DATA', Buffer.alloc(78))),
    ends: 'ERR_RECORD_UNEXPECTED',
  },
  ...Object.entries({ GOAWAY: 4, CREDIT: 8, 'an unknown type': 9 }).map(([what, type]) => ({
    at: 'handshaken' as const,
    name: `sends ${what} of the length of CONFIRM [R5.4]`,
    does: (rogue: RoguePeer) => rogue.say(inner(type, Buffer.alloc(78))),
    ends: 'ERR_RECORD_MALFORMED',
  })),
  {
    ...beforeConfirm,
    name: 'sends a request before CONFIRM [R4.12] [R4.15]',
    does: (rogue) => rogue.say(request()),
    ends: 'ERR_RECORD_LENGTH',
  },
  confirms('a byte short', (body) => body.subarray(1), 'ERR_RECORD_MALFORMED'),
  confirms('that proves a low-order point [R4.7]', (body) => body.fill(0, 0, 32), 'ERR_HANDSHAKE_MALFORMED'),
  confirms('with the S of another client [R4.30]', (body) => changed(body, 0, OTHER_S), 'ERR_INSTANCE_PROOF'),
  confirms('with a proof of zeros [R4.30]', (body) => body.fill(0, 32, 48), 'ERR_INSTANCE_PROOF'),
  confirms('with the top bit of S set [R4.30]', (body) => changed(body, 31, flip(body, 31)), 'ERR_INSTANCE_PROOF'),
  confirms('with a feature not offered [R4.4]', (body) => body.fill(1, 71, 72), 'ERR_HANDSHAKE_MALFORMED'),
  confirms('of less than 64 KiB [R4.5]', (body) => body.fill(0, 56, 58), 'ERR_PEER_LIMITS'),
  {
    ...beforeConfirm,
    name: 'alters the tag of CONFIRM [R4.30]',
    does: (rogue) => {
      const record = rogue.sealed(rogue.confirm());
      rogue.write(changed(record, 97, flip(record, 97)), rogue.sealed(request()));
    },
    ends: 'ERR_BAD_MAC',
  },
  {
    ...beforeConfirm,
    name: 'never sends CONFIRM [R4.14]',
    options: { timeouts: { handshakeMs: 1_000 } },
    does: () => undefined,
    ends: 'ERR_HANDSHAKE_TIMEOUT',
  },
  {
    ...beforeConfirm,
    name: 'ends in place of CONFIRM',
    does: (rogue) => void rogue.socket.end(),
    ends: 'ERR_TRUNCATED',
  },
];
