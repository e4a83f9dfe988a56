// Faults of what listens at the address, up to message 2: docs/protocol.md §4.
import type { ServerFault } from '../../support/fault.js';
import { PING } from '../../support/rogue-words.js';
import { ALERT, changed, LOW_ORDER } from './handshake.js';

/** Faults of a listener at the address of a client. */
export const LISTENER_FAULTS: readonly ServerFault[] = [
  {
    at: 'connected',
    name: 'sends bytes before message 1 [R4.2]',
    does: (rogue) => rogue.write(Buffer.from('220 ready\r\n')),
    ends: 'ERR_HANDSHAKE_MALFORMED',
    hears: 'whatever',
  },
  {
    at: 'handshaken',
    name: 'refuses',
    does: (rogue) => rogue.write(ALERT),
    ends: 'ERR_ALERT',
  },
  {
    at: 'handshaken',
    name: 'sends message 1 back',
    does: (rogue) => rogue.write(rogue.message1()),
    ends: 'ERR_HANDSHAKE_MALFORMED',
  },
  ...[0, 4, 5, 7].map((at): ServerFault => {
    const name = `sends byte ${at} of the preamble wrong, and no more [R4.2]`;
    const does: ServerFault['does'] = (rogue) => {
      const start = rogue.message2().subarray(0, at + 1);
      rogue.write(changed(start, at, Buffer.of(start.readUInt8(at) ^ 0x40)));
    };
    return { at: 'handshaken', name, does, ends: 'ERR_HANDSHAKE_MALFORMED' };
  }),
  {
    at: 'handshaken',
    name: 'alters the tag of payload 2',
    does: (rogue) => {
      const message2 = rogue.message2();
      rogue.write(changed(message2, 103, Buffer.of(message2.readUInt8(103) ^ 1)));
    },
    ends: 'ERR_BAD_MAC',
  },
  {
    at: 'handshaken',
    name: 'announces 0 in flight [R4.5]',
    does: (rogue) => rogue.write(rogue.message2({ maxInFlight: 0 })),
    ends: 'ERR_PEER_LIMITS',
  },
  {
    at: 'handshaken',
    name: 'announces less than 64 KiB [R4.5]',
    does: (rogue) => rogue.write(rogue.message2({ maxMessageBytes: 65_535 })),
    ends: 'ERR_PEER_LIMITS',
  },
  ...Object.entries(LOW_ORDER).map(([point, publicKey]): ServerFault => {
    const name = `sends the point ${point} as its public key [R4.7]`;
    const does: ServerFault['does'] = (rogue) => rogue.write(changed(rogue.message2(), 8, publicKey));
    return { at: 'handshaken', name, does, ends: 'ERR_HANDSHAKE_MALFORMED' };
  }),
  {
    at: 'handshaken',
    name: 'sends a record after message 2, before CONFIRM [R4.16]',
    does: (rogue) => {
      const message2 = rogue.message2();
      rogue.write(message2, rogue.sealed(PING));
    },
    ends: 'ERR_EARLY_BYTES',
  },
  {
    at: 'handshaken',
    name: 'sends an alert with extra bytes, which counts as an alert [R4.26]',
    does: (rogue) => rogue.write(ALERT, Buffer.alloc(8)),
    ends: 'ERR_EARLY_BYTES',
  },
  {
    at: 'handshaken',
    name: 'ends in the middle of an alert, which counts as an alert [R4.26]',
    does: (rogue) => void rogue.socket.end(ALERT.subarray(0, 6)),
    ends: 'ERR_CONNECT_FAILED',
  },
  {
    at: 'handshaken',
    name: 'answers with the second message of a hybrid [R8.2]',
    does: (rogue) => rogue.write(changed(rogue.message2(), 5, Buffer.of(4))),
    ends: 'ERR_HANDSHAKE_MALFORMED',
  },
  {
    at: 'handshaken',
    name: 'answers in version 2 [R8.2]',
    does: (rogue) => rogue.write(changed(rogue.message2(), 4, Buffer.of(2))),
    ends: 'ERR_HANDSHAKE_MALFORMED',
  },
  {
    at: 'handshaken',
    name: 'stays silent after message 1',
    options: { timeouts: { connectMs: 1_000 } },
    does: () => undefined,
    ends: 'ERR_HANDSHAKE_TIMEOUT',
  },
  {
    at: 'handshaken',
    name: 'ends in the middle of message 2',
    does: (rogue) => void rogue.socket.end(rogue.message2().subarray(0, 50)),
    ends: 'ERR_CONNECT_FAILED',
  },
  {
    at: 'handshaken',
    name: 'resets the connection in place of message 2',
    does: (rogue) => void rogue.socket.resetAndDestroy(),
    ends: 'ERR_CONNECT_FAILED',
  },
  {
    at: 'handshaken',
    name: 'resets the connection right after message 2',
    does: (rogue) => {
      rogue.socket.write(rogue.message2());
      rogue.socket.resetAndDestroy();
    },
    ends: 'ERR_CONNECTION_LOST',
  },
];
