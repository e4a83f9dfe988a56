// Rows 20, 22, 23, 25, 46 and 49: many, slow, tiny, unread and cancelled. A client that comes meanwhile is served.
import { once } from 'node:events';

import { RoguePeer } from '../../support/rogue-peer.js';
import { asked, CONFIRM, data, frame, request } from '../../support/rogue-words.js';
import { stands, type Attack, type Observation } from '../attack.js';
import { atEnd } from '../clean-up.js';
import type { Usage } from '../measured-process.js';
import { ServerProcess } from '../targets/server-process.js';

const MAX_GROWTH_MIB = 96;

const passed = (ms: number): Promise<false> => new Promise((resolve) => setTimeout(resolve, ms, false));

/** A client is served in time, and memory stays bounded. */
function judge(
  server: ServerProcess,
  what: string,
  servedMs: number,
  before: Usage,
  after: Usage,
  damage: Readonly<Record<string, boolean>> = {},
): Observation {
  const growthMiB = after.peakMemoryMiB - before.memoryMiB;
  const memory = `memory ${Math.round(before.memoryMiB)} MiB, at most ${Math.round(after.peakMemoryMiB)} MiB`;
  return stands(`${what}; a client served after ${Math.round(servedMs)} ms; ${memory}`, {
    ...damage,
    [`a client waited ${Math.round(servedMs)} ms`]: servedMs > server.patienceMs,
    [`memory grew by ${Math.round(growthMiB)} MiB`]: growthMiB > MAX_GROWTH_MIB,
  });
}

/** The client has the address of the crowd, so that it may be evicted itself: then it tries again (docs/threat-model.md). */
async function silentCrowd() {
  const server = await ServerProcess.start({ handshakeTimeoutMs: 60_000 });
  const before = await server.usage();
  const verified = await handshakeAmongReplays(server);
  const made = server.crowd(2_000);
  const during = await serveAgain(server);
  await made;
  const afterwards = await serveAgain(server);
  verified.say(CONFIRM, request());
  const hasItsPlace = await verified.hears('NEXT 1').then(
    () => true,
    () => false,
  );
  const after = await server.usage();
  const tries = `a client of the same address tried ${during.tries} and ${afterwards.tries} times`;
  const what = `2,000 silent connections of one address, ${after.strangers} kept, ${tries}`;
  return judge(server, what, Math.max(during.servedMs, afterwards.servedMs), before, after, {
    'more strangers than may be': after.strangers > 64,
    'a client with a verified message 1 lost its place': !hasItsPlace,
  });
}

/** A client that has message 2 and not confirmed yet, older than 63 replays of its message 1. */
async function handshakeAmongReplays(server: ServerProcess): Promise<RoguePeer> {
  const [client, ...replays] = await Promise.all(Array.from({ length: 64 }, () => RoguePeer.dial(server.port)));
  if (client === undefined) throw new TypeError('There is a first one');
  atEnd(() => [client, ...replays].forEach(({ socket }) => socket.destroy()));
  const message1 = client.message1();
  for (const peer of [client, ...replays]) {
    peer.write(message1);
    await peer.hears('message 2');
  }
  return client;
}

/** Tries until it is served or has run out of patience. Fails as the last try did. */
async function serveAgain(server: ServerProcess): Promise<{ readonly servedMs: number; readonly tries: number }> {
  const startMs = performance.now();
  for (let tries = 1; ; tries++) {
    const triedMs = performance.now() - startMs;
    try {
      return { servedMs: triedMs + (await server.serveOne()), tries };
    } catch (error) {
      if (performance.now() - startMs > server.patienceMs) throw error;
    }
  }
}

/** As many as may be, then a crowd more: it takes the places of the first one, whose sockets end. */
async function silentAddresses() {
  const server = await ServerProcess.start({ handshakeTimeoutMs: 60_000 });
  const before = await server.usage();
  const first = await server.crowd(64, '127.0.0.2');
  const evicted = Promise.all(first.filter(({ closed }) => !closed).map((socket) => once(socket, 'close')));
  for (let host = 3; host < 18; host++) await server.crowd(64, `127.0.0.${host}`);
  let full = await server.usage();
  for (let tries = 0; tries < 200 && full.strangers < 1_024; tries++) full = await server.usage();
  await server.crowd(64, '127.0.0.18');
  const areGone = await Promise.race([evicted.then(() => true), passed(5_000)]);
  const servedMs = await server.serveOne();
  const after = await server.usage();
  const what = `1,088 silent connections of 17 addresses, ${full.strangers} kept, then ${after.strangers}`;
  return judge(server, what, servedMs, before, after, {
    'the strangers are not counted': full.strangers !== 1_024,
    'more strangers than may be': after.strangers > 1_024,
    'the oldest stayed': !areGone,
  });
}

/** A byte of message 1 now and then; message 1 and no more; nothing at all. 20 of each. */
async function slowHandshakes() {
  const server = await ServerProcess.start({ handshakeTimeoutMs: 1_000 });
  const before = await server.usage();
  const startMs = performance.now();
  const rogues = await Promise.all(Array.from({ length: 60 }, () => RoguePeer.dial(server.port)));
  atEnd(() => rogues.forEach(({ socket }) => socket.destroy()));
  const drips = rogues.slice(0, 20).map((rogue) => {
    const message1 = rogue.message1();
    let at = 0;
    return setInterval(() => rogue.write(message1.subarray(at, ++at)), 100);
  });
  for (const rogue of rogues.slice(20, 40)) rogue.write(rogue.message1());
  const servedMs = await server.serveOne();
  await Promise.all(rogues.map(({ left }) => left));
  const goneMs = performance.now() - startMs;
  drips.forEach(clearInterval);
  const heard = rogues.slice(20, 40).every(({ words }) => words.join() === 'message 2');
  return judge(
    server,
    `60 slow handshakes, all gone after ${Math.round(goneMs)} ms of 1,000`,
    servedMs,
    before,
    await server.usage(),
    {
      'the deadline moved': goneMs > 1_500,
      'more than message 2 went out': !heard,
    },
  );
}

/** Frames of 8 bytes that count for nothing: CANCEL of a stream that is closed. */
async function tinyFrames() {
  const server = await ServerProcess.start();
  const before = await server.usage();
  const rogue = await server.insider();
  rogue.say(request());
  await rogue.hears('NEXT 1');
  const cancel = frame('CANCEL', 1);
  const small = rogue.sealed(data(Buffer.alloc(47_000, cancel)));
  const records = Array.from({ length: 160 }, () => rogue.sealed(data(Buffer.alloc(65_496, cancel))));
  rogue.write(small, ...records, rogue.sealed(request(2)));
  const servedMs = await server.serveOne();
  await rogue.hears('NEXT 2');
  const after = await server.usage();
  const frames = ((160 * 65_496 + 47_000) / 8).toLocaleString('en');
  const turn = Math.round(after.longestTurnMs);
  return judge(
    server,
    `${frames} frames in one chunk of 10 MB, all read, longest turn ${turn} ms`,
    servedMs,
    before,
    after,
    {
      'the event loop stood still': turn > 500,
    },
  );
}

/** Asks for 1 MiB, 1,000 times, and reads nothing. */
async function neverReads() {
  const server = await ServerProcess.start({ writeTimeoutMs: 1_000 });
  const before = await server.usage();
  const rogue = await server.insider();
  rogue.socket.pause();
  for (let stream = 1; stream <= 1_000; stream++) rogue.say(request(stream, asked('blob')));
  const servedMs = await server.serveOne();
  const startMs = performance.now();
  let last = await server.usage();
  let peakMemoryMiB = last.peakMemoryMiB;
  while (last.connections > 0 && performance.now() - startMs < 10_000) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    last = await server.usage();
    peakMemoryMiB = Math.max(peakMemoryMiB, last.peakMemoryMiB);
  }
  return judge(
    server,
    '1,000 MiB asked for and not read, then cut',
    servedMs,
    before,
    { ...last, peakMemoryMiB },
    {
      'the connection lives on': last.connections > 0,
    },
  );
}

/** REQUEST and CANCEL in a loop: the slot is free at once, the handler is not. */
async function rapidReset() {
  const server = await ServerProcess.start({ maxInFlight: 4 });
  const before = await server.usage();
  const rogue = await server.insider();
  for (let stream = 1; stream <= 10_000; stream++) {
    rogue.say(data(frame('REQUEST', stream, asked('hang')), frame('CANCEL', stream)));
  }
  const servedMs = await server.serveOne();
  rogue.say(request(10_001));
  await rogue.hears('ERROR 10001 ERR_OVERLOADED');
  const after = await server.usage();
  return judge(
    server,
    `10,000 resets with 4 in flight, ${after.mostRunning} handlers run of 8`,
    servedMs,
    before,
    after,
    {
      'more handlers ran than may': after.mostRunning > 8,
    },
  );
}

export const FLOOD: readonly Attack[] = [
  { row: 20, name: 'floods with tiny frames', against: { S: tinyFrames } },
  { row: 22, name: 'shakes hands slowly', against: { S: slowHandshakes } },
  { row: 23, name: 'connects 2,000 times and stays silent', against: { S: silentCrowd } },
  { row: 25, name: 'never reads its answers', against: { S: neverReads } },
  { row: 46, name: 'asks and cancels in a loop', against: { S: rapidReset } },
  { row: 49, name: 'sends a crowd from 17 addresses', against: { S: silentAddresses } },
];
