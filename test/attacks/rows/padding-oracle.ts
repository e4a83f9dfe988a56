// Row 2: somebody who can only ask "does the padding fit?" reads a message, byte by byte.
import { createDecipheriv } from 'node:crypto';

import { PING } from '../../support/rogue-words.js';
import { falls, NotCarriedOut, stands, type Attack } from '../attack.js';
import { atEnd } from '../clean-up.js';
import { Channel } from '../targets/channel.js';
import { LegacyWire, sendRaw, startDemoServer } from '../targets/legacy.js';

const BLOCK_BYTES = 16;
const SECRET = 'Dear bank, my PIN is 4711. Keep it a secret';

type Oracle = (ciphertext: Buffer) => Promise<boolean>;

/** The plaintext of one block, from nothing but the answers of the oracle (Vaudenay, 2002). */
async function recoverBlock(before: Buffer, block: Buffer, fits: Oracle): Promise<Buffer> {
  const decrypted = Buffer.alloc(BLOCK_BYTES);
  for (let at = BLOCK_BYTES - 1; at >= 0; at--) {
    const padding = BLOCK_BYTES - at;
    const forged = Buffer.alloc(BLOCK_BYTES);
    for (let behind = at + 1; behind < BLOCK_BYTES; behind++) forged[behind] = decrypted.readUInt8(behind) ^ padding;
    decrypted[at] = padding ^ (await guess(forged, at, block, fits));
  }
  return Buffer.from(decrypted.map((byte, at) => byte ^ before.readUInt8(at)));
}

async function guess(forged: Buffer, at: number, block: Buffer, fits: Oracle): Promise<number> {
  for (let byte = 0; byte < 256; byte++) {
    forged[at] = byte;
    if (!(await fits(Buffer.concat([forged, block])))) continue;
    if (at < BLOCK_BYTES - 1) return byte;
    // The last byte may fit by a longer padding than 1: then a change of the byte before it breaks it.
    const other = Buffer.from(forged);
    other[at - 1] = other.readUInt8(at - 1) ^ 0xff;
    if (await fits(Buffer.concat([other, block]))) return byte;
  }
  throw new NotCarriedOut(`No padding fits at byte ${at}`);
}

/** Every block but the first, because that one needs the IV, which is part of the key file. */
async function recover(ciphertext: Buffer, oracle: Oracle): Promise<{ text: string; queries: number }> {
  let queries = 0;
  const fits: Oracle = (forged) => {
    queries += 1;
    return oracle(forged);
  };
  const blocks: Buffer[] = [];
  for (let at = BLOCK_BYTES; at < ciphertext.length; at += BLOCK_BYTES) {
    const before = ciphertext.subarray(at - BLOCK_BYTES, at);
    blocks.push(await recoverBlock(before, ciphertext.subarray(at, at + BLOCK_BYTES), fits));
  }
  return { text: withoutPadding(Buffer.concat(blocks)), queries };
}

function withoutPadding(padded: Buffer): string {
  const padding = padded.readUInt8(padded.length - 1);
  return padded.subarray(0, padding <= BLOCK_BYTES ? padded.length - padding : padded.length).toString();
}

/** The connection of a server that decrypts before it closes is the oracle. */
async function readThroughTheDemo() {
  const wire = await LegacyWire.open();
  const ciphertext = await wire.record(SECRET);
  const port = await startDemoServer(wire.bench.key);
  const { text, queries } = await recover(ciphertext, async (forged) => (await sendRaw(port, forged)) === 'ended');
  return { text, queries };
}

/** Our own server shows nothing on the connection. Who sees its log, or what its handler does, has the same oracle. */
async function readThroughTheLog() {
  const wire = await LegacyWire.open();
  const ciphertext = await wire.record(SECRET);
  const ends = new Set<string>();
  const { text, queries } = await recover(ciphertext.subarray(0, 2 * BLOCK_BYTES), async (forged) => {
    const { end, isHandled } = await wire.ask(forged);
    ends.add(end);
    return isHandled;
  });
  return { text, queries, ends: [...ends].join('/') };
}

async function readLegacy() {
  const demo = await readThroughTheDemo();
  const log = await readThroughTheLog();
  const saw =
    `through a server that decrypts before it closes, as the original demo: "${demo.text}" in ${demo.queries} queries; ` +
    `through LegacyServer, whose connections all ${log.ends}, by what its handler is given: "${log.text}" in ${log.queries}`;
  return falls(saw, demo.text === SECRET.slice(BLOCK_BYTES) && log.text === SECRET.slice(BLOCK_BYTES, 2 * BLOCK_BYTES));
}

const KINDS = {
  'bad tag': (record: Buffer) => flip(record, record.length - 1),
  'changed padding': (record: Buffer) => flip(record, record.length - 16 - 17),
  'changed ciphertext': (record: Buffer) => flip(record, 3),
  'truncated ciphertext': (record: Buffer) => Buffer.concat([Buffer.of(0, 32), record.subarray(2, 34)]),
};
const TRIES = 60;

/** What somebody who alters records can see of it, by the kind of the change. */
async function askChannel() {
  const channel = await Channel.open();
  const decrypts = countDecryption();
  const seen = new Set<string>();
  const medians: string[] = [];
  for (const [kind, alter] of Object.entries(KINDS)) {
    const micros: number[] = [];
    for (let tries = 0; tries < TRIES; tries++) {
      const rogue = await channel.insider();
      const record = rogue.sealed(PING, Buffer.concat([PING, Buffer.alloc(40)]));
      rogue.write(record.subarray(0, 34));
      await rogue.hears('PONG');
      const before = decrypts();
      const [heard, bytes] = [rogue.words.length, rogue.socket.bytesRead];
      const startMs = performance.now();
      rogue.write(alter(Buffer.from(record.subarray(34))));
      await rogue.left;
      micros.push((performance.now() - startMs) * 1000);
      seen.add(
        `${rogue.words.length - heard} words, ${rogue.socket.bytesRead - bytes} bytes, ${decrypts() - before} decryptions`,
      );
    }
    medians.push(`${kind} ${Math.round(micros.sort((a, b) => a - b)[TRIES / 2] ?? 0)} us`);
  }
  const saw = `${TRIES} tries of 4 kinds all looked like: ${[...seen].join(' / ')}. Median until the end: ${medians.join(', ')}`;
  return stands(saw, {
    'kinds of change can be distinguished': seen.size !== 1,
    'something was decrypted or said': !seen.has('0 words, 0 bytes, 0 decryptions'),
    'a code differs': new Set(channel.ended).size !== 1,
  });
}

function flip(record: Buffer, at: number): Buffer {
  record.writeUInt8(record.readUInt8(at) ^ 1, at);
  return record;
}

/** Counts how often this process runs CBC decryption over anything. */
function countDecryption(): () => number {
  let count = 0;
  const prototype = Object.getPrototypeOf(createDecipheriv('aes-128-cbc', Buffer.alloc(16), Buffer.alloc(16))) as {
    update: (...args: unknown[]) => unknown;
  };
  const { update } = prototype;
  prototype.update = function (...args) {
    count += 1;
    return update.apply(this, args);
  };
  atEnd(() => {
    prototype.update = update;
  });
  return () => count;
}

export const PADDING_ORACLE: readonly Attack[] = [
  { row: 2, name: 'asks whether a padding fits', against: { L: readLegacy, S: askChannel } },
];
