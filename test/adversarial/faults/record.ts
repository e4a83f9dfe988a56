// Faults of open connections in their records: docs/protocol.md §5.
import type { ClientFault, Fault, ServerFault } from '../../support/fault.js';
import type { RoguePeer } from '../../support/rogue-peer.js';
import {
  credit,
  data,
  FALSE_CONFIRM,
  first,
  frame,
  GOAWAY,
  inner,
  KEY_UPDATE,
  MORE,
  PING,
} from '../../support/rogue-words.js';

const open = { at: 'open' } as const;
const says =
  (...inners: readonly Buffer[]): Fault['does'] =>
  (rogue) =>
    rogue.say(...inners);

function updatesKey(rogue: RoguePeer, times: number): void {
  for (let i = 0; i < times; i++) {
    rogue.say(KEY_UPDATE);
    rogue.updateKey();
  }
}

const MALFORMED: Readonly<Record<string, Buffer>> = {
  'an empty inner': Buffer.alloc(0),
  'a record of type 0': inner(0),
  'a record of type 9': inner(9),
  'a record of type 255 with a body': inner(255, Buffer.alloc(100)),
  'a DATA record without a frame': inner('DATA'),
  'a PING of 7 bytes': inner('PING', Buffer.alloc(7)),
  'a PING of 9 bytes': inner('PING', Buffer.alloc(9)),
  'a PONG of 7 bytes': inner('PONG', Buffer.alloc(7)),
  'KEY_UPDATE with a body': inner('KEY_UPDATE', Buffer.of(0)),
  'GOAWAY with a body': inner('GOAWAY', Buffer.of(0)),
  'CONFIRM of 77 bytes': inner('CONFIRM', Buffer.alloc(77)),
  'CREDIT of 7 bytes': inner('CREDIT', Buffer.alloc(7)),
  'CREDIT of 9 bytes': inner('CREDIT', Buffer.alloc(9)),
  'CREDIT of 2^53 bytes taken': credit(2 ** 53),
  'CLOSE without a code': inner('CLOSE'),
  'CLOSE with code 4': inner('CLOSE', Buffer.of(4)),
  'CLOSE with 2 bytes': inner('CLOSE', Buffer.of(0, 0)),
};

/** Faults that either side refuses from the other. */
const BOTH: readonly Fault[] = [
  ...Object.entries(MALFORMED).map(([what, record]) => ({
    at: 'open' as const,
    name: `sends ${what} [R5.4]`,
    does: says(record),
    ends: 'ERR_RECORD_MALFORMED',
  })),
  ...[0, 16, 31, 33, 47, 65_521, 65_535].map((length) => ({
    at: 'open' as const,
    name: `announces a record of ${length} bytes, and sends nothing more [R5.1]`,
    does: (rogue: RoguePeer) => rogue.write(Buffer.of(length >> 8, length & 0xff)),
    ends: 'ERR_RECORD_LENGTH',
  })),
  {
    ...open,
    name: 'alters the tag of a record that a genuine one follows [R5.3]',
    does: (rogue) => {
      const record = rogue.sealed(PING);
      record.writeUInt8(record.readUInt8(record.length - 1) ^ 1, record.length - 1);
      rogue.write(record, rogue.sealed(PING));
    },
    ends: 'ERR_BAD_MAC',
  },
  {
    ...open,
    name: 'repeats a record [R5.2]',
    does: async (rogue) => {
      const record = rogue.sealed(PING);
      rogue.write(record);
      await rogue.hears('PONG');
      rogue.write(record);
    },
    ends: 'ERR_BAD_MAC',
    hears: ['PONG'],
  },
  {
    ...open,
    name: 'leaves a record out [R5.2]',
    does: (rogue) => {
      rogue.sealed(PING);
      rogue.say(PING);
    },
    ends: 'ERR_BAD_MAC',
  },
  {
    ...open,
    name: 'continues under the old key after KEY_UPDATE [R5.7]',
    does: says(KEY_UPDATE, PING),
    ends: 'ERR_BAD_MAC',
  },
  {
    ...open,
    name: 'changes its key without KEY_UPDATE [R5.7]',
    does: (rogue) => {
      rogue.updateKey();
      rogue.say(PING);
    },
    ends: 'ERR_BAD_MAC',
  },
  {
    ...open,
    name: 'sends 17 KEY_UPDATEs in a row [R5.9]',
    does: (rogue) => updatesKey(rogue, 17),
    ends: 'ERR_KEY_UPDATE_FLOOD',
  },
  {
    ...open,
    name: 'sends 16 KEY_UPDATEs in a row, and PING [R5.9]',
    does: async (rogue) => {
      updatesKey(rogue, 16);
      rogue.say(PING);
      await rogue.hears('PONG');
      rogue.say(inner('PONG', Buffer.alloc(8)));
    },
    ends: 'ERR_RECORD_UNEXPECTED',
    hears: ['PONG'],
  },
  { ...open, name: 'sends CONFIRM [R5.5]', does: says(FALSE_CONFIRM), ends: 'ERR_RECORD_UNEXPECTED' },
  {
    ...open,
    name: 'reports more bytes than it was sent [R5.31]',
    does: says(credit(65_536)),
    ends: 'ERR_CREDIT_UNEARNED',
  },
  {
    ...open,
    name: 'reports too few new bytes [R5.31]',
    does: says(credit(65_535)),
    ends: 'ERR_CREDIT_FLOOD',
  },
  { ...open, name: 'reports no bytes [R5.31]', does: says(credit(0)), ends: 'ERR_CREDIT_FLOOD' },
  { ...open, name: 'sends GOAWAY twice [R5.15]', does: says(GOAWAY, GOAWAY), ends: 'ERR_RECORD_UNEXPECTED' },
  {
    ...open,
    name: 'sends a second PING before the PONG to the first [R5.13]',
    does: says(PING, PING),
    ends: 'ERR_RECORD_UNEXPECTED',
  },
  {
    ...open,
    name: 'sends an unsolicited PONG [R5.14]',
    does: says(inner('PONG', Buffer.alloc(8))),
    ends: 'ERR_RECORD_UNEXPECTED',
  },
  {
    ...open,
    name: 'answers PING with other bytes [R5.14]',
    options: { timeouts: { pingIntervalMs: 20 } },
    does: async (rogue) => {
      await rogue.hears('PING');
      rogue.say(inner('PONG', Buffer.alloc(8)));
    },
    ends: 'ERR_RECORD_UNEXPECTED',
    hears: ['PING'],
  },
];

/** More records than one key may carry, of a message that never ends. */
function wearsOut(kind: 'REQUEST' | 'NEXT'): readonly Fault[] {
  const says200 = (rogue: RoguePeer): void => {
    rogue.say(data(first(kind, 1)));
    for (let i = 0; i < 200; i++) rogue.say(data(frame(kind, 1, Buffer.of(0), MORE)));
  };
  return [
    {
      ...open,
      name: 'never updates a key that has sealed the maximum of records [R5.10]',
      options: { limits: { key: { softRecords: 64, hardRecords: 150 } } },
      does: says200,
      ends: 'ERR_KEY_EXHAUSTED',
    },
    {
      ...open,
      name: 'never updates a key that has sealed the maximum of bytes [R5.10]',
      options: { limits: { key: { softBytes: 64, hardBytes: 6_000 } } },
      does: says200,
      ends: 'ERR_KEY_EXHAUSTED',
    },
    {
      ...open,
      name: 'never updates a key that has reached its maximum age [R5.10]',
      options: { timeouts: { pingIntervalMs: 20 }, limits: { key: { softAgeMs: 100, hardAgeMs: 400 } } },
      does: async (rogue) => {
        rogue.say(data(first(kind, 1)));
        const talk = setInterval(() => rogue.say(data(frame(kind, 1, Buffer.of(0), MORE))), 10);
        await rogue.left;
        clearInterval(talk);
      },
      ends: 'ERR_KEY_EXHAUSTED',
      hears: 'whatever',
    },
  ];
}

export const CLIENT_RECORD_FAULTS: readonly ClientFault[] = [...BOTH, ...wearsOut('REQUEST')];
export const SERVER_RECORD_FAULTS: readonly ServerFault[] = [...BOTH, ...wearsOut('NEXT')];
