// Rows 19, 21, 24, 26 to 30, 47 and 50: sizes, counters and states at their borders, and beyond them.
import { CLIENT_FRAME_FAULTS } from '../../adversarial/faults/frame.js';
import { STRANGER_FAULTS, UNCONFIRMED_FAULTS } from '../../adversarial/faults/handshake.js';
import { CLIENT_LIFECYCLE_FAULTS } from '../../adversarial/faults/lifecycle.js';
import { CLIENT_RECORD_FAULTS } from '../../adversarial/faults/record.js';
import { resolveLimits } from '../../../libs/channel/src/options/limits.js';
import { OpeningHalf, SealingHalf } from '../../../libs/channel/src/record/half-connection.js';
import { MAX_RECORDS } from '../../../libs/channel/src/record/traffic-key.js';
import { generateKey } from '@sealwire/crypto';
import { newClient } from '../../support/pair.js';
import { asked, data, first, frame, MORE, request } from '../../support/rogue-words.js';
import { RoguePeer } from '../../support/rogue-peer.js';
import { stands, type Attack } from '../attack.js';
import { atEnd } from '../clean-up.js';
import { play } from '../play.js';
import { Channel, outcomeOf, PATIENT } from '../targets/channel.js';
import { ServerProcess } from '../targets/server-process.js';
import { sealRecord } from '../../support/seal-record.js';

const MIB = 1_048_576;
const FAULTS = [
  ...STRANGER_FAULTS,
  ...UNCONFIRMED_FAULTS,
  ...CLIENT_RECORD_FAULTS,
  ...CLIENT_FRAME_FAULTS,
  ...CLIENT_LIFECYCLE_FAULTS,
];

/** A message of 40 MiB, announced as such and sent 60,000 bytes at a time. */
async function oversize() {
  const server = await ServerProcess.start();
  const before = await server.usage();
  const rogue = await server.insider();
  const start = asked('count', Buffer.alloc(60_000));
  rogue.say(data(first('REQUEST', 1, 40 * MIB, start)));
  for (let sent = 0; sent < 40 * MIB; sent += 60_000) rogue.say(data(frame('REQUEST', 1, Buffer.alloc(60_000), MORE)));
  await rogue.left;
  const after = await server.usage();
  const growth = Math.round(after.peakMemoryMiB - before.memoryMiB);
  const faults = await play(
    FAULTS,
    /more bytes than the server takes|more bytes of messages|than it announced|a record of 65_?5/,
  );
  return stands(`40 MiB in one message: ${after.ended.join()}, memory grew by ${growth} MiB at most; ${faults.saw}`, {
    'a fault was taken': faults.outcome === 'FALLS',
    'it was not refused': after.ended.join() !== 'ERR_MESSAGE_TOO_LARGE',
    'memory grew': growth > 40,
    ...(await server.serveOne()).damage,
  });
}

async function byteByByte() {
  const channel = await Channel.open();
  const rogue = await RoguePeer.dial(channel.port);
  atEnd(() => rogue.socket.destroy());
  const drip = async (bytes: Buffer): Promise<void> => {
    for (const byte of bytes) {
      rogue.write(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await drip(rogue.message1());
  await rogue.hears('message 2');
  await drip(rogue.sealed(rogue.confirm(), request(1), request(2)));
  await rogue.hears('NEXT 2');
  return stands(`handshake and two requests in 246 chunks: ${rogue.words.join(', ')}`, {
    'it was not served': rogue.words.join() !== 'message 2,NEXT 1,NEXT 2',
  });
}

/** Where a counter ends: no socket gets that far, so the record layer itself is asked. */
function wearOut() {
  const { key: limits } = resolveLimits({});
  const key = Buffer.from(generateKey());
  const sealing = new SealingHalf(key, limits, 0, MAX_RECORDS - 1);
  const opening = new OpeningHalf(key, limits, 0, MAX_RECORDS - 1);
  const last = opening.open(sealRecord(sealing, Buffer.of(1)).subarray(2), 0);
  const codes = [() => sealRecord(sealing, Buffer.of(1)), () => opening.open(Buffer.alloc(32), 0)].map(codeOf);
  return Promise.resolve(
    stands(`record 2^48 - 1 opens, then both halves say ${codes.join(', ')}`, {
      'the last record did not open': !last.equals(Buffer.of(1)),
      'a counter went on': codes.some((code) => code !== 'ERR_KEY_EXHAUSTED'),
    }),
  );
}

/** A forgery must not move the counter, or the next genuine record would be opened under the wrong one. */
function moveCounter() {
  const { key: limits } = resolveLimits({});
  const key = Buffer.from(generateKey());
  const [sealing, opening] = [new SealingHalf(key, limits, 0), new OpeningHalf(key, limits, 0)];
  const record = sealRecord(sealing, Buffer.from('genuine')).subarray(2);
  const codes = new Set(Array.from({ length: 1_000 }, () => codeOf(() => opening.open(Buffer.alloc(48, 7), 0))));
  const text = opening.open(record, 0).toString();
  return Promise.resolve(
    stands(`1,000 forgeries: ${[...codes].join()}; the genuine record behind them opens`, {
      'a forgery moved the counter': text !== 'genuine' || codes.size !== 1,
    }),
  );
}

function codeOf(act: () => unknown): unknown {
  try {
    act();
    return 'nothing';
  } catch (error) {
    return (error as { code?: string }).code;
  }
}

/** Keys that are replaced by number, by bytes and by age, under traffic. */
async function crossLimits() {
  const answers: string[] = [];
  const lost: unknown[] = [];
  for (const key of [{ softRecords: 64 }, { softBytes: 64 }, { softAgeMs: 200 }]) {
    const channel = await Channel.open({ limits: { key } });
    const client = newClient(channel.proxy.port, { ...PATIENT, limits: { key } });
    const untilMs = performance.now() + 1_000; // five ages: of updates that follow each other 16 are allowed
    const isEnough = (calls: number): boolean => ('softAgeMs' in key ? performance.now() > untilMs : calls >= 300);
    let calls = 0;
    for (; !isEnough(calls); calls++) {
      const answer = await outcomeOf(client, 'echo', calls);
      if (answer !== calls) lost.push(answer);
    }
    answers.push(`${calls} over ${Object.keys(key).join()}`);
  }
  const faults = await play(FAULTS, /\[R5\.7\]|\[R5\.10\]/);
  return stands(`calls answered: ${answers.join(', ')}; ${faults.saw}`, {
    [`calls were lost: ${lost.join(', ')}`]: lost.length > 0,
    [faults.saw]: faults.outcome === 'FALLS',
  });
}

/** A message in fragments of one byte: good, but its cost has to be linear. */
async function tinyFragments() {
  const server = await ServerProcess.start();
  const costs: number[] = [];
  let growth = 0;
  for (const bytes of [131_072, 524_288]) {
    const rogue = await server.insider();
    const payload = asked('count', Buffer.alloc(bytes));
    const frames = Array.from(payload, (byte, at) =>
      at === 0
        ? first('REQUEST', 1, payload.length, Buffer.of(byte))
        : frame('REQUEST', 1, Buffer.of(byte), at < payload.length - 1 ? MORE : 0),
    );
    const records: Buffer[] = [];
    for (let at = 0; at < frames.length; at += 7_000) records.push(rogue.sealed(data(...frames.slice(at, at + 7_000))));
    const before = await server.usage();
    rogue.write(...records);
    await rogue.hears('NEXT 1');
    const after = await server.usage();
    costs.push(after.cpuMs - before.cpuMs);
    growth = Math.max(growth, after.peakMemoryMiB - before.memoryMiB);
  }
  const [small = 0, large = 0] = costs;
  const faults = await play(FAULTS, /empty fragment|never ends a message/);
  const saw = `128 Ki fragments of 1 byte ${Math.round(small)} ms of CPU, 512 Ki ${Math.round(large)} ms, memory grew by ${Math.round(growth)} MiB`;
  return stands(`${saw}; ${faults.saw}`, {
    'its cost is not linear': large > 12 * Math.max(small, 30),
    'memory grew': growth > 48,
    [faults.saw]: faults.outcome === 'FALLS',
  });
}

export const LIMITS: readonly Attack[] = [
  { row: 19, name: 'sends more than may be', against: { S: oversize } },
  { row: 21, name: 'sends one byte at a time', against: { S: byteByByte } },
  { row: 24, name: 'begins a record and stops', against: { S: () => play(FAULTS, /begins a record|drips a record/) } },
  { row: 26, name: 'sends low-order points', against: { S: () => play(FAULTS, /sends the point/) } },
  { row: 27, name: 'wears out the counter', against: { S: wearOut } },
  { row: 28, name: 'moves the counter by forgeries', against: { S: moveCounter } },
  { row: 29, name: 'crosses the limits of a key', against: { S: crossLimits } },
  { row: 30, name: 'orders key updates without end', against: { S: () => play(FAULTS, /KEY_UPDATEs in a row/) } },
  { row: 47, name: 'cuts a message into single bytes', against: { S: tinyFragments } },
  {
    row: 50,
    name: 'sends frames too late, and too early',
    against: { S: () => play(FAULTS, /\[R6\.[567]|\[R6\.10\]|R5\.17/) },
  },
];
