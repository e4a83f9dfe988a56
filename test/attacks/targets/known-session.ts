// Both ends of a session whose keys the attacker's program knows, so that it can look for them elsewhere.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

import type { SecretKey } from '@sealwire/crypto';
import {
  KeyPair,
  receiveMessage2,
  respond,
  startInitiator,
  type Session,
} from '../../../libs/channel/src/handshake/index.js';
import { expandKey } from '../../../libs/crypto/src/cipher/suite.js';
import { resolveLimits } from '../../../libs/channel/src/options/limits.js';
import { SealingHalf } from '../../../libs/channel/src/record/half-connection.js';
import { HONEST, SERVER_ID } from '../../support/rogue-peer.js';
import { inner } from '../../support/rogue-words.js';
import { atEnd } from '../clean-up.js';
import { MESSAGE_1_BYTES, MESSAGE_2_BYTES } from './channel.js';
import { sealRecord } from '../../support/seal-record.js';

/** The traffic keys of both directions, and what is expanded from them. */
export function secretsOf({ outgoingKey, incomingKey }: Session): Record<string, Uint8Array> {
  const [out, into] = [expandKey(outgoingKey), expandKey(incomingKey)];
  return {
    'one traffic key': outgoingKey,
    'the other traffic key': incomingKey,
    'one MAC and ENC': out.macAndEnc,
    'the other MAC and ENC': into.macAndEnc,
    'one IVK': out.ivKey,
    'the other IVK': into.ivKey,
  };
}

/** Opens a session at a server, and keeps it open. */
export async function dialKnown(port: number, key: SecretKey): Promise<Session> {
  const socket = connect(port, '127.0.0.1');
  atEnd(() => socket.destroy());
  const psk = { keyId: Buffer.from(key.idBytes), psk: Buffer.from(key.psk()) };
  const announcement = { ...HONEST, maxInFlight: 0 };
  const { state, message1 } = startInitiator(psk, { service: 'default', announcement, instance: KeyPair.generate() });
  socket.write(message1);
  const session = receiveMessage2(state, await readExactly(socket, MESSAGE_2_BYTES));
  socket.write(
    sealRecord(new SealingHalf(session.outgoingKey, resolveLimits({}).key, 0), inner('CONFIRM', session.confirm)),
  );
  return session;
}

/** A server that takes one client, and never answers it. */
export async function listenKnown(
  key: SecretKey,
): Promise<{ readonly port: number; readonly session: Promise<Session> }> {
  const server = createServer();
  atEnd(() => server.close());
  const session = once(server, 'connection').then(async ([socket]: Socket[]) => {
    if (socket === undefined) throw new Error('Nobody came');
    atEnd(() => socket.destroy());
    const message1 = await readExactly(socket, MESSAGE_1_BYTES);
    const options = { service: 'default', instanceId: SERVER_ID, announcement: HONEST };
    const answer = respond(() => Buffer.from(key.psk()), options, message1);
    socket.write(answer.message2);
    socket.resume();
    return answer.session;
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { port: (server.address() as AddressInfo).port, session };
}

async function readExactly(socket: Socket, bytes: number): Promise<Buffer> {
  socket.on('error', () => undefined);
  const chunks: Buffer[] = [];
  while (Buffer.concat(chunks).length < bytes) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).subarray(0, bytes);
}
