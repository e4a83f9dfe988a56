// Rows 20, 22, 23, 25, 46 and 49: many, slow, tiny, unread and cancelled. A client that comes meanwhile is served.
import { RoguePeer } from '../../support/rogue-peer.js';
import { asked, data, frame, PING, request } from '../../support/rogue-words.js';
import { NotCarriedOut, stands, type Attack, type Observation } from '../attack.js';
import { atEnd } from '../clean-up.js';
import type { Usage } from '../measured-process.js';
import { eventually, PATIENCE_MS } from '../targets/channel.js';
import { ServerProcess, type Service } from '../targets/server-process.js';

const MAX_GROWTH_MIB = 96;

const MAX_TRIES = 100;
const DRIP_MS = 200;

/** A client is served, without much work for others before it, and memory stays bounded. */
function judge(
  what: string,
  served: Service,
  before: Usage,
  after: Usage,
  damage: Readonly<Record<string, boolean>> = {},
): Observation {
  const growthMiB = after.peakMemoryMiB - before.memoryMiB;
  const memory = `memory ${Math.round(before.memoryMiB)} MiB, at most ${Math.round(after.peakMemoryMiB)} MiB`;
  return stands(`${what}; a client served ${served.saw}; ${memory}`, {
    ...damage,
    ...served.damage,
    [`memory grew by ${Math.round(growthMiB)} MiB`]: growthMiB > MAX_GROWTH_MIB,
  });
}

/** The client has the address of the crowd, so that it may be evicted itself: then it tries again (docs/threat-model.md). */
async function silentCrowd() {
  const server = await ServerProcess.start({ timeouts: { handshakeMs: 600_000 } });
  const before = await server.usage();
  const verified = await handshakeAmongReplays(server);
  const made = server.crowd(2_000);
  const during = await serveAgain(server);
  await made;
  const afterwards = await serveAgain(server);
  verified.say(verified.confirm(), request());
  const hasItsPlace = await verified.hears('NEXT 1').then(
    () => true,
    () => false,
  );
  const after = await usageOnce(server, ({ strangers }) => strangers <= 64); // a second later, if all goes well
  const tries = `a client of the same address tried ${during.tries} and ${afterwards.tries} times`;
  const what = `2,000 silent connections of one address, ${after.strangers} kept, ${tries}`;
  return judge(what, afterwards, before, after, {
    'a client was not served meanwhile': during.missing.length > 0,
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

/** Tries until it is served, or often enough. */
async function serveAgain(server: ServerProcess): Promise<Service & { readonly tries: number }> {
  for (let tries = 1; ; tries++) {
    const service = await server.serveOne();
    if (service.missing.length === 0 || tries === MAX_TRIES) return { ...service, tries };
  }
}

/** As soon as it is as it should be, or after a while as it is. */
async function usageOnce(server: ServerProcess, isSo: (usage: Usage) => boolean): Promise<Usage> {
  for (let tries = 1; ; tries++) {
    const usage = await server.usage();
    if (isSo(usage) || tries === 200) return usage;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** As many as may be, then a crowd more: it takes the places of the first one, whose sockets end. */
async function silentAddresses() {
  const server = await ServerProcess.start({ timeouts: { handshakeMs: 600_000 } });
  const before = await server.usage();
  const first = await server.crowd(64, '127.0.0.2');
  for (let host = 3; host < 18; host++) await server.crowd(64, `127.0.0.${host}`);
  const full = await usageOnce(server, ({ strangers }) => strangers === 1_024);
  await server.crowd(64, '127.0.0.18');
  const areGone = await eventually(() => first.every(({ closed }) => closed));
  const served = await server.serveOne();
  const after = await server.usage();
  const what = `1,088 silent connections of 17 addresses, ${full.strangers} kept, then ${after.strangers}`;
  return judge(what, served, before, after, {
    'the strangers are not counted': full.strangers !== 1_024,
    'more strangers than may be': after.strangers > 1_024,
    'the oldest stayed': !areGone,
  });
}

/** A byte of message 1 now and then; message 1 and no more; nothing at all. 20 of each. */
async function slowHandshakes() {
  const server = await ServerProcess.start({ timeouts: { handshakeMs: 2_000 } });
  const before = await server.usage();
  const rogues = await Promise.all(Array.from({ length: 60 }, () => RoguePeer.dial(server.port)));
  atEnd(() => rogues.forEach(({ socket }) => socket.destroy()));
  const drips = rogues.slice(0, 20).map(drip);
  for (const rogue of rogues.slice(20, 40)) rogue.write(rogue.message1());
  const served = await server.serveOne();
  await Promise.all(rogues.map(({ left }) => left));
  const mostBytes = Math.max(...(await Promise.all(drips)));
  const heard = rogues.slice(20, 40).map(({ words }) => words.join());
  if (heard.includes('')) throw new NotCarriedOut('A message 1 came after the deadline');
  return judge(
    `60 slow handshakes, all gone; of 80 bytes, one each ${DRIP_MS} ms, ${mostBytes} went out until the deadline`,
    served,
    before,
    await server.usage(),
    {
      'the deadline moved': mostBytes > 56,
      'more than message 2 went out': heard.some((words) => words !== 'message 2'),
    },
  );
}

/** Resolves, when it is cut, with how many bytes it had sent. */
async function drip(rogue: RoguePeer): Promise<number> {
  const message1 = rogue.message1();
  let at = 0;
  const timer = setInterval(() => rogue.write(message1.subarray(at, ++at)), DRIP_MS);
  await rogue.left;
  clearInterval(timer);
  return at;
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
  const served = await server.serveOne();
  await rogue.hears('NEXT 2');
  const after = await server.usage();
  const frames = ((160 * 65_496 + 47_000) / 8).toLocaleString('en');
  const turn = Math.round(after.longestTurnMs);
  return judge(
    `${frames} frames in one chunk of 10 MB, all read, longest turn ${turn} ms of CPU`,
    served,
    before,
    after,
    {
      'the event loop stood still': turn > 1_000,
    },
  );
}

/** The system may take all that is sent before CREDIT is due, so that no write stalls. */
const CREDIT_PATIENCE_MS = 60_000 + PATIENCE_MS;

/** Asks for 1 MiB, 1,000 times, and reads nothing. */
async function neverReads() {
  const server = await ServerProcess.start({ timeouts: { writeMs: 2_000 } });
  const before = await server.usage();
  const rogue = await server.insider();
  rogue.socket.pause();
  for (let stream = 1; stream <= 1_000; stream++) rogue.say(request(stream, asked('blob')));
  const served = await server.serveOne();
  const startMs = performance.now();
  let last = await server.usage();
  let peakMemoryMiB = last.peakMemoryMiB;
  while (last.connections > 0 && performance.now() - startMs < CREDIT_PATIENCE_MS) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    last = await server.usage();
    peakMemoryMiB = Math.max(peakMemoryMiB, last.peakMemoryMiB);
  }
  return judge(
    '1,000 MiB asked for and not read, then cut',
    served,
    before,
    { ...last, peakMemoryMiB },
    {
      'the connection lives on': last.connections > 0,
    },
  );
}

/** REQUEST and CANCEL in a loop: the slot is free immediately, the handler is not. */
async function rapidReset() {
  const server = await ServerProcess.start({ limits: { maxInFlight: 4 } });
  const before = await server.usage();
  const rogue = await server.insider();
  for (let stream = 1; stream <= 10_000; stream++) {
    rogue.say(data(frame('REQUEST', stream, asked('hang')), frame('CANCEL', stream)));
  }
  const served = await server.serveOne();
  rogue.say(PING);
  await rogue.hears('PONG');
  const after = await server.usage();
  return judge(`10,000 resets with 4 in flight, ${after.mostRunning} handlers run of 8`, served, before, after, {
    'more handlers ran than may': after.mostRunning > 8,
  });
}

export const FLOOD: readonly Attack[] = [
  { row: 20, name: 'floods with tiny frames', against: { S: tinyFrames } },
  { row: 22, name: 'shakes hands slowly', against: { S: slowHandshakes } },
  { row: 23, name: 'connects 2,000 times and stays silent', against: { S: silentCrowd } },
  { row: 25, name: 'never reads its answers', against: { S: neverReads } },
  { row: 46, name: 'asks and cancels in a loop', against: { S: rapidReset } },
  { row: 49, name: 'sends a crowd from 17 addresses', against: { S: silentAddresses } },
];
