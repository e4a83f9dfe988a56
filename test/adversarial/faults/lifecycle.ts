// Faults in how a connection lives and ends: docs/protocol.md §5.5 to §5.9, §7.
import type { ClientFault, Fault } from '../../support/fault.js';
import type { RoguePeer } from '../../support/rogue-peer.js';
import { asked, CLOSE, GOAWAY, inner, PING, request } from '../../support/rogue-words.js';

const open = { at: 'open' } as const;
const ends = (rogue: RoguePeer): void => void rogue.socket.end();
const resets = (rogue: RoguePeer): void => void rogue.socket.resetAndDestroy();

/** Where bytes wait unread, libuv reports a reset as the end of the stream: everything is read before. */
async function resetsWhenHeard(rogue: RoguePeer): Promise<void> {
  rogue.say(PING);
  await rogue.hears('PONG');
  resets(rogue);
}

export const BOTH: readonly Fault[] = [
  { ...open, name: 'ends the stream without CLOSE [R5.23]', does: ends, ends: 'ERR_TRUNCATED' },
  {
    ...open,
    name: 'resets the connection [R5.24]',
    does: resetsWhenHeard,
    ends: 'ERR_CONNECTION_LOST',
    hears: ['PONG'],
  },
  {
    ...open,
    name: 'ends the stream in the middle of a record [R5.23]',
    does: (rogue) => void rogue.socket.end(rogue.sealed(CLOSE).subarray(0, 20)),
    ends: 'ERR_TRUNCATED',
  },
  {
    ...open,
    name: 'sends PING while the other side drains, and gets a PONG [R5.11]',
    options: { timeouts: { sessionSoftAgeMs: 50, drainMs: 10_000, pongMs: 10_000 } },
    does: async (rogue) => {
      await rogue.hears('GOAWAY');
      rogue.say(PING);
      await rogue.hears('PONG');
      rogue.say(inner(0));
    },
    ends: 'ERR_RECORD_MALFORMED',
    hears: ['GOAWAY', 'PONG'],
  },
  {
    ...open,
    name: 'begins a record and never completes it',
    options: { timeouts: { recordMs: 50 } },
    does: (rogue) => rogue.write(rogue.sealed(PING).subarray(0, 20)),
    ends: 'ERR_RECORD_STALLED',
  },
  {
    ...open,
    name: 'sends a record byte by byte, too slowly',
    options: { timeouts: { recordMs: 100 } },
    does: async (rogue) => {
      const bytes = [...rogue.sealed(inner('DATA', Buffer.alloc(2_000)))];
      const drip = setInterval(() => rogue.write(Buffer.of(bytes.shift() ?? 0)), 5);
      await rogue.left;
      clearInterval(drip);
    },
    ends: 'ERR_RECORD_STALLED',
  },
  {
    ...open,
    name: 'never answers PING [R5.12]',
    options: { timeouts: { pingIntervalMs: 20, pongMs: 60 } },
    does: (rogue) => rogue.left,
    ends: 'ERR_PING_TIMEOUT',
    hears: ['PING'],
  },
  {
    ...open,
    name: 'never answers GOAWAY of an old session, and stays beyond its hard age [R5.28]',
    options: { timeouts: { sessionSoftAgeMs: 50, sessionHardAgeMs: 300, drainMs: 30 } },
    does: (rogue) => rogue.left,
    ends: 'ERR_SESSION_EXPIRED',
    hears: ['GOAWAY'],
  },
];

/** The report of the side that is left: a client's call has no answer, and a server misses nothing. */
export const behindClose = (late: string): readonly Fault[] => [
  ...[1, 2, 31].map((bytes) => ({
    at: 'open' as const,
    name: `sends ${bytes} bytes after CLOSE [R5.20]`,
    does: (rogue: RoguePeer) => rogue.write(rogue.sealed(CLOSE), rogue.sealed(PING).subarray(0, bytes)),
    ends: late,
    hears: 'whatever' as const,
  })),
  {
    ...open,
    name: 'sends a record after CLOSE, in a separate chunk [R5.20]',
    does: async (rogue) => {
      rogue.say(CLOSE);
      await rogue.hears('CLOSE');
      rogue.say(PING);
    },
    ends: late,
    hears: ['CLOSE'],
  },
];

const server = { ...open, ends: 'ERR_RECORD_UNEXPECTED' } as const;
export const CLIENT_LIFECYCLE_FAULTS: readonly ClientFault[] = [
  { at: 'connected', name: 'leaves without a byte', does: ends, ends: 'unseen', hears: ['alert'] },
  { at: 'connected', name: 'resets without a byte', does: resets, ends: 'unseen' },
  { at: 'handshaken', name: 'resets in place of CONFIRM', does: resets, ends: 'ERR_CONNECTION_LOST' },
  ...BOTH,
  ...behindClose('ERR_RECORD_UNEXPECTED'),
  {
    ...server,
    name: 'sends a request after CLOSE [R5.20]',
    does: (rogue) => rogue.say(CLOSE, request()),
    hears: 'whatever',
  },
  {
    ...open,
    name: 'opens one more stream after GOAWAY arrives and before it answers, and is served [R5.18]',
    options: { timeouts: { sessionSoftAgeMs: 50, drainMs: 10_000 } },
    does: async (rogue) => {
      await rogue.hears('GOAWAY');
      rogue.say(request());
      await rogue.hears('NEXT 1');
      rogue.say(GOAWAY);
      await rogue.hears('CLOSE');
      rogue.leave();
    },
    ends: 'agreed',
    hears: ['GOAWAY', 'NEXT 1', 'CLOSE'],
    runs: 1,
  },
  {
    ...open,
    name: 'sends GOAWAY after a request and before the answer, and gets an answer to both [R5.16]',
    does: async (rogue) => {
      rogue.say(request(), GOAWAY);
      await rogue.hears('NEXT 1');
      await rogue.hears('GOAWAY');
      rogue.leave();
    },
    ends: 'agreed',
    hears: ['NEXT 1', 'GOAWAY', 'CLOSE'],
    runs: 1,
  },
  {
    ...open,
    name: 'never reads its answers',
    options: { timeouts: { writeMs: 100 } },
    does: (rogue) => {
      rogue.socket.pause();
      rogue.say(request(1, asked('flood')));
    },
    ends: 'ERR_WRITE_STALLED',
    hears: 'whatever',
    runs: 1,
  },
  {
    ...open,
    name: 'never reads its answers and sends one PING after the other, and is still read [R5.13, R5.19]',
    options: { timeouts: { writeMs: 5_000 } },
    does: (rogue) => {
      rogue.socket.pause();
      rogue.say(request(1, asked('flood')));
      const talk = setInterval(() => rogue.say(PING), 1);
      void rogue.left.then(() => clearInterval(talk));
    },
    ends: 'ERR_RECORD_UNEXPECTED',
    hears: 'whatever',
    runs: 1,
  },
];
