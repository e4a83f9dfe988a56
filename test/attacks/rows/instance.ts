// Rows 62 and 63: somebody who holds the key listens to a client, or takes its place.
import { lastValueFrom } from 'rxjs';

import { decodeMessage1, decodeMessage2, encodePrologue } from '../../../libs/channel/src/handshake/messages.js';
import { beginNnpsk0, readFirst } from '../../../libs/channel/src/handshake/nnpsk0.js';
import { resolveLimits } from '../../../libs/channel/src/options/limits.js';
import { SUITE } from '../../../libs/channel/src/record/record.js';
import { OpeningHalf } from '../../../libs/channel/src/record/half-connection.js';
import type { SealwireClient } from '../../../libs/transport/src/index.js';
import { newClient } from '../../support/pair.js';
import { KEY, RoguePeer } from '../../support/rogue-peer.js';
import { RogueServer } from '../../support/rogue-server.js';
import { event, noted } from '../../support/rogue-words.js';
import { stands, type Attack } from '../attack.js';
import { atEnd } from '../clean-up.js';
import { Channel, CONFIRM_BYTES, MESSAGE_1_BYTES, MESSAGE_2_BYTES, outcomeOf, PATIENT } from '../targets/channel.js';

const CONNECTIONS = 10;
/** So many equal bytes in a row are no chance. */
const TELLING_BYTES = 6;
/** A limit that no other number is like. */
const MARKED_BYTES = 0x00_71_52_63;

interface Recording {
  readonly message1: Buffer;
  readonly message2: Buffer;
  readonly confirm: Buffer;
}

/** Two client objects, each on several connections, as they are seen on the path. */
async function record(channel: Channel): Promise<readonly Recording[]> {
  const recordings: Recording[] = [];
  for (const client of [
    channel.client(),
    channel.client(channel.proxy.port, { limits: { maxMessageBytes: MARKED_BYTES } }),
  ]) {
    for (let count = 0; count < CONNECTIONS; count++) {
      await outcomeOf(client, 'count', 1);
      await client.close();
      const [up, down] = [channel.proxy.bytes('c2s'), channel.proxy.bytes('s2c')];
      recordings.push({
        message1: up.subarray(0, MESSAGE_1_BYTES),
        message2: down.subarray(0, MESSAGE_2_BYTES),
        confirm: up.subarray(MESSAGE_1_BYTES, MESSAGE_1_BYTES + CONFIRM_BYTES),
      });
      channel.proxy.reset();
    }
  }
  return recordings;
}

/** What the key file opens: payload 1; and whether any key that follows from what was seen opens CONFIRM. */
function open({ message1, message2, confirm }: Recording): { payload: Buffer; hasOpened: boolean } {
  const { header, exchange } = decodeMessage1(message1);
  const prologue = encodePrologue(header, 'default');
  const symmetric = beginNnpsk0({ suite: SUITE, prologue, psk: KEY.psk });
  const { payload } = readFirst(symmetric, exchange);
  const keys = [symmetric.split()];
  symmetric.mixKey(decodeMessage2(message2).subarray(0, 32));
  keys.push(symmetric.split());
  symmetric.mixKey(Buffer.alloc(32));
  keys.push(symmetric.split());
  const hasOpened = keys.some(({ initiatorKey }) => opens(initiatorKey, confirm));
  return { payload, hasOpened };
}

function opens(key: Buffer, confirm: Buffer): boolean {
  try {
    new OpeningHalf(key, resolveLimits({}).key, 0).open(confirm.subarray(2), 0);
    return true;
  } catch {
    return false;
  }
}

/** Whether two of them have bytes in common that tell that they belong together. */
function haveInCommon(parts: readonly Buffer[]): boolean {
  const seen = new Set<string>();
  for (const part of parts) {
    const windows = new Set<string>();
    for (let at = 0; at + TELLING_BYTES <= part.length; at++) windows.add(part.toString('hex', at, at + TELLING_BYTES));
    for (const window of windows) if (seen.has(window)) return true;
    for (const window of windows) seen.add(window);
  }
  return false;
}

async function listen() {
  const channel = await Channel.open();
  const recordings = await record(channel);
  const opened = recordings.map(open);
  const limit = Buffer.alloc(4);
  limit.writeUInt32BE(MARKED_BYTES);
  return stands(
    `${recordings.length} first messages of 2 clients, opened with the key: zeros; behind the key id none is like another`,
    {
      'message 1 says something': opened.some(({ payload }) => payload.some((byte) => byte !== 0)),
      'CONFIRM was opened': opened.some(({ hasOpened }) => hasOpened),
      'the limits are on the wire': recordings.some((each) => Object.values(each).some((part) => part.includes(limit))),
      'message 1 identifies its client': haveInCommon(recordings.map(({ message1 }) => message1.subarray(16))),
      'CONFIRM identifies its client': haveInCommon(recordings.map(({ confirm }) => confirm.subarray(2))),
    },
  );
}

/** Answers a client once, and has what it proves; the event never arrives. */
async function harvest(client: SealwireClient, coming: Promise<RoguePeer>): Promise<Buffer> {
  const emitted = emit(client);
  const rogue = await coming;
  await rogue.hears('message 1');
  rogue.write(rogue.message2());
  await rogue.hears('EVENT 1');
  const confirm = rogue.confirm().subarray(1);
  rogue.socket.destroy();
  await emitted;
  return confirm;
}

/** `acknowledged`, or the code of the failure. */
function emit(client: SealwireClient): Promise<unknown> {
  return lastValueFrom(client.emit('noted', 1), { defaultValue: undefined }).then(
    () => 'acknowledged',
    (error: { code?: string }) => error.code,
  );
}

/** Dials the server in the name of the client, and sends the next events of that client. */
async function impersonate(channel: Channel, change: (own: Buffer) => Buffer): Promise<void> {
  const thief = await RoguePeer.dial(channel.port);
  atEnd(() => thief.socket.destroy());
  thief.write(thief.message1());
  await thief.hears('message 2');
  thief.say(thief.confirm(change), event(1, noted(1)), event(2, noted(2)));
  await thief.left;
}

async function takePlace() {
  const channel = await Channel.open();
  const rogueServer = await RogueServer.start(channel.port);
  atEnd(() => rogueServer.close());
  const victim = newClient(rogueServer.port, PATIENT);
  const confirm = await harvest(victim, rogueServer.peer);
  await impersonate(channel, () => confirm);
  await impersonate(channel, (own) => Buffer.concat([confirm.subarray(0, 32), own.subarray(32)]));
  await impersonate(channel, (own) => Buffer.concat([confirm.subarray(0, 32), Buffer.alloc(16), own.subarray(48)]));
  const runsOfThief = channel.runs;
  const arrived = [await emit(victim), await emit(victim)];
  return stands(`refused ${channel.ended.join()}; then the client's own two events: ${arrived.join()}`, {
    'a false client was let in':
      channel.ended.some((code) => code !== 'ERR_INSTANCE_PROOF') || channel.ended.length !== 3,
    'a handler ran for it': runsOfThief > 0,
    'events of the client were taken for repeats': channel.runs !== 2,
  });
}

export const INSTANCE: readonly Attack[] = [
  { row: 62, name: 'holds the key, and listens', against: { S: listen } },
  { row: 63, name: 'takes part in events of a client', against: { S: takePlace } },
];
