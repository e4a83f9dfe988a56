// Rows 6 to 12 and 48: somebody on the path repeats, moves, drops, cuts, turns back and delays what is sent.
import { connect } from 'node:net';
import { once } from 'node:events';

import { firstValueFrom } from 'rxjs';
import { legacyPortOf } from '../../support/legacy.js';
import { asked, request } from '../../support/rogue-words.js';
import { falls, NotCarriedOut, stands, type Attack, type Observation } from '../attack.js';
import { atEnd } from '../clean-up.js';
import {
  Channel,
  comesTrue,
  eventually,
  MESSAGE_1_BYTES,
  MESSAGE_2_BYTES,
  outcomeOf,
  recordsOf,
} from '../targets/channel.js';
import { LegacyWire, sendRaw } from '../targets/legacy.js';
import { MoleculerPair, newSecret } from '../targets/moleculer.js';
import { replayIntoNewNestPsk, replayNestPsk } from './nest-psk.js';

async function replayLegacy() {
  const wire = await LegacyWire.open();
  const recorded = await wire.record('pay 100 to Mallory');
  await sendRaw(wire.port, recorded);
  await sendRaw(wire.port, recorded);
  await wire.handles(3);
  return falls(`sent once, handled ${wire.texts.length} times: "${wire.texts.at(-1)}"`, wire.texts.length === 3);
}

async function replayMoleculer() {
  const pair = await MoleculerPair.open();
  await pair.pay({ memo: 'Mallory', amount: 100 });
  const [recorded] = pair.requests;
  if (recorded === undefined) throw new NotCarriedOut('No request was seen');
  await pair.inject(recorded);
  return falls(`one call, and the action paid ${pair.paid.length} times`, pair.paid.length === 2);
}

/** The records of the next call of an open client, as `change` makes them; at most `arrivals` of them are good. */
async function alterOneCall(change: (record: Buffer) => Buffer, arrivals: 0 | 1): Promise<Observation> {
  const channel = await Channel.open();
  const client = channel.client();
  await outcomeOf(client, 'count', 'before');
  let altered = false;
  channel.proxy.alter = (chunk, _offset, direction) => {
    if (direction === 's2c' || altered) return chunk;
    altered = true;
    return change(chunk);
  };
  const call = outcomeOf(client, 'count', 0);
  await comesTrue('the call reaches the proxy', () => altered);
  const after = outcomeOf(client, 'count', 'after'); // what is missing shows by the next record
  const result = await call;
  await after;
  await eventually(() => channel.ended.length > 0);
  const times = (what: unknown): number => channel.handled.filter((each) => each === what).length;
  return stands(`ended with ${channel.ended.join()}, the call with ${String(result)}, handled ${times(0)} times`, {
    'the server did not notice': channel.ended[0] !== 'ERR_BAD_MAC',
    'it was handled more often than it arrived': times(0) > arrivals,
    'it was answered though it never arrived': arrivals === 0 && typeof result === 'number',
    'others were not served': !(await channel.servesOthers()),
  });
}

/** Two messages on their way: the later one is delivered first. */
async function reorderLegacy() {
  const wire = await LegacyWire.open();
  const held: Buffer[] = [];
  wire.proxy.alter = (chunk) => {
    held.push(chunk);
    return Buffer.alloc(0);
  };
  await wire.send('first: open the account');
  await wire.send('second: close the account');
  await comesTrue('the proxy sees both', () => held.length === 2);
  for (const bytes of held.toReversed()) await sendRaw(wire.port, bytes);
  await comesTrue('both are handled', () => wire.texts.length >= 2);
  const [first = ''] = wire.texts;
  return falls(`handled in the order ${wire.texts.map((text) => `"${text}"`).join(', ')}`, first.startsWith('second'));
}

async function dropLegacy() {
  const wire = await LegacyWire.open();
  wire.proxy.alter = () => Buffer.alloc(0);
  await wire.send('the order that never arrives');
  return falls(`emit() succeeded, handled ${wire.texts.length}`, wire.texts.length === 0);
}

async function reorderChannel() {
  const channel = await Channel.open();
  const rogue = await channel.insider();
  const [one, two] = [1, 2].map((stream) => rogue.sealed(request(stream, asked('count', stream))));
  rogue.write(two ?? Buffer.alloc(0), one ?? Buffer.alloc(0));
  await rogue.left;
  return stands(`ended with ${channel.ended.join()}, handled ${channel.handled.length}`, {
    'something was handled': channel.handled.length > 0,
    'the server did not notice': channel.ended.join() !== 'ERR_BAD_MAC',
    'others were not served': !(await channel.servesOthers()),
  });
}

/** The connection is cut between records and in the middle of one, while a call is pending. */
async function truncate() {
  const codes: unknown[] = [];
  for (const extra of [Buffer.alloc(0), Buffer.of(0, 48, 1, 2, 3)]) {
    const channel = await Channel.open();
    const client = channel.client();
    await client.connect();
    const pending = firstValueFrom(client.send('hang', 1)).then(
      () => 'succeeded',
      (error: { code?: string }) => error.code,
    );
    await comesTrue('the handler runs', () => channel.runs === 1);
    channel.proxy.last?.client.end(extra);
    codes.push(await pending);
  }
  return stands(`between records and in the middle of one: ${codes.join(', ')}`, {
    'a cut was not noticed': codes.some((code) => code !== 'ERR_TRUNCATED'),
  });
}

async function reflect() {
  const channel = await Channel.open();
  const client = channel.client();
  await client.connect();
  channel.proxy.alter = (chunk, _offset, direction) => {
    if (direction === 'c2s') channel.proxy.last?.client.write(chunk);
    return Buffer.alloc(0);
  };
  const result = await outcomeOf(client, 'count', 1);
  return stands(`the client ended with ${String(result)}`, { 'it took its own record': result !== 'ERR_BAD_MAC' });
}

async function replayIntoNewLegacyServer() {
  const wire = await LegacyWire.open();
  const recorded = await wire.record('open the gate');
  const restarted = await wire.bench.startServer();
  await sendRaw(legacyPortOf(restarted), recorded);
  await wire.handles(2);
  return falls(`a server that has just started handled "${wire.texts.at(-1)}"`, wire.texts.length === 2);
}

/** What was recorded before the bank started again is good afterwards. */
async function replayIntoNewSession() {
  const secret = newSecret();
  const first = await MoleculerPair.open(secret);
  await first.pay({ memo: 'Mallory', amount: 100 });
  const [recorded] = first.requests;
  await first.close();
  const second = await MoleculerPair.open(secret);
  await second.inject(recorded ?? Buffer.alloc(0));
  return falls(
    `the new bank, to which nobody has spoken yet, paid ${second.paid.length} time`,
    second.paid.length === 1,
  );
}

async function spliceSessions() {
  const channel = await Channel.open();
  await outcomeOf(channel.client(), 'count', 'recorded');
  const recorded = recordsOf(channel.proxy.bytes('c2s'), MESSAGE_1_BYTES).at(-1) ?? Buffer.alloc(0);
  const rogue = await channel.insider();
  rogue.write(recorded);
  await rogue.left;
  return stands(`ended with ${channel.ended.join()}, handled ${channel.handled.length} time in all`, {
    'it was handled again': channel.handled.length !== 1,
    'the server did not notice': !channel.ended.includes('ERR_BAD_MAC'),
  });
}

/** Message 1 again, then the rest of the recording, CONFIRM and request, as well. */
async function replayHandshake() {
  const channel = await Channel.open();
  await outcomeOf(channel.client(), 'count', 'recorded');
  const recording = channel.proxy.bytes('c2s');
  const answers: number[] = [];
  for (const rest of [Buffer.alloc(0), recording.subarray(MESSAGE_1_BYTES)]) {
    const socket = connect(channel.port, '127.0.0.1');
    atEnd(() => socket.destroy());
    socket.on('error', () => undefined).resume();
    await once(socket, 'connect');
    socket.write(recording.subarray(0, MESSAGE_1_BYTES));
    await comesTrue('message 2', () => socket.bytesRead === MESSAGE_2_BYTES);
    socket.end(rest);
    await once(socket, 'close');
    answers.push(socket.bytesRead);
  }
  return stands(
    `message 2 (${answers.join(' and ')} bytes), then ${channel.ended.join(', ')}; handled ${channel.handled.length} time in all`,
    {
      'a handler ran': channel.handled.length !== 1,
      'more than message 2 went out': answers.some((bytes) => bytes !== MESSAGE_2_BYTES),
      'it opened': channel.server.snapshot().accepted !== 1,
    },
  );
}

/** All records are held, and one is let go now and then: here the clocks run faster, the proportions are those of §7. */
async function delay() {
  const channel = await Channel.open({ timeouts: { pingIntervalMs: 500, pongMs: 1_000 } });
  const client = channel.client();
  const answer = await outcomeOf(client, 'count', 1);
  if (answer !== 1 || channel.ended.length > 0)
    throw new NotCarriedOut('The connection ended before its records were held');
  const held: { chunk: Buffer; direction: string }[] = [];
  channel.proxy.alter = (chunk, _offset, direction) => {
    held.push({ chunk, direction });
    return Buffer.alloc(0);
  };
  const trickle = setInterval(() => {
    const next = held.shift();
    const sockets = channel.proxy.last;
    if (next === undefined || sockets === undefined) return;
    (next.direction === 'c2s' ? sockets.server : sockets.client).write(next.chunk);
  }, 1_350);
  const startMs = performance.now();
  const isGone = await channel.isLeft();
  clearInterval(trickle);
  return stands(
    `a PONG due within 1,000 ms; gone after ${Math.round(performance.now() - startMs)} ms with ${channel.ended.join()}`,
    {
      'it was kept alive': !isGone,
      'the clock did not end it': !channel.ended.includes('ERR_PING_TIMEOUT'),
    },
  );
}

const twice = (record: Buffer): Buffer => Buffer.concat([record, record]);

export const REPLAY: readonly Attack[] = [
  {
    row: 6,
    name: 'repeats a message',
    against: { L: replayLegacy, M: replayMoleculer, S: () => alterOneCall(twice, 1), T: replayNestPsk },
    withstoodBy: ['T'],
  },
  { row: 7, name: 'swaps two messages', against: { L: reorderLegacy, S: reorderChannel } },
  {
    row: 8,
    name: 'drops a message in the middle',
    against: { L: dropLegacy, S: () => alterOneCall(() => Buffer.alloc(0), 0) },
  },
  { row: 9, name: 'cuts the connection', against: { S: truncate } },
  { row: 10, name: 'turns a record back to its sender', against: { S: reflect } },
  {
    row: 11,
    name: 'repeats in another session',
    against: { L: replayIntoNewLegacyServer, M: replayIntoNewSession, S: spliceSessions, T: replayIntoNewNestPsk },
    withstoodBy: ['T'],
  },
  { row: 12, name: 'repeats a handshake', against: { S: replayHandshake } },
  { row: 48, name: 'holds all records, lets one go at a time', against: { S: delay } },
];
