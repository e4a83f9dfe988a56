// Rows 4, 5 and 42: a passive observer compares the ciphertexts.
import { deflateSync } from 'node:zlib';
import { generateKey } from '@sealwire/crypto';

import { IvSequence } from '../../../libs/crypto/src/cipher/iv-sequence.js';
import { expandKey } from '../../../libs/crypto/src/cipher/suite.js';
import { resolveLimits } from '../../../libs/channel/src/options/limits.js';
import { SealingHalf } from '../../../libs/channel/src/record/half-connection.js';
import { falls, stands, type Attack } from '../attack.js';
import { Channel, comesTrue, CONFIRM_BYTES, MESSAGE_1_BYTES, outcomeOf, recordsOf } from '../targets/channel.js';
import { LegacyWire } from '../targets/legacy.js';
import { MoleculerPair } from '../targets/moleculer.js';
import { sealRecord } from '../../support/seal-record.js';

const BLOCK_BYTES = 16;
const MESSAGES = 10_000;
const TEXT = 'attack at dawn, attack at dawn, attack at dawn';

async function compareLegacy() {
  const wire = await LegacyWire.open();
  const [first, second] = [await wire.record(TEXT), await wire.record(TEXT)];
  const third = await wire.record(`${TEXT.slice(0, 32)}noon`);
  const same = first.equals(second) && first.subarray(0, 32).equals(third.subarray(0, 32));
  return falls(`two equal texts gave ${first.length} equal bytes; two that begin alike, 2 equal blocks`, same);
}

/** Requests begin with a random id. What a node says when it connects does not. */
async function compareMoleculer() {
  const pair = await MoleculerPair.open();
  const first = pair.greetings.at(0);
  pair.proxy.reset();
  await pair.restartTill();
  await comesTrue('the till connects again', () => pair.greetings.length > 0);
  const [second] = pair.greetings;
  const same = first !== undefined && second !== undefined && first.equals(second);
  return falls(
    `two greetings of a node are equal in all ${first?.length} bytes (requests begin with a random id)`,
    same,
  );
}

/** Equal messages over a socket, and the same counter after an update of the key. */
async function compareChannel() {
  const channel = await Channel.open({ limits: { key: { softRecords: 64 } } });
  const client = channel.client();
  const answers = await Promise.all(Array.from({ length: 200 }, () => outcomeOf(client, 'echo', TEXT)));
  let equal = answers.filter((answer) => answer !== TEXT).length;
  const seen = new Set<string>();
  let count = 0;
  const note = (record: Buffer): void => {
    for (let at = 2; at < record.length; at += BLOCK_BYTES, count++)
      seen.add(record.toString('hex', at, at + BLOCK_BYTES));
  };
  recordsOf(channel.proxy.bytes('c2s'), MESSAGE_1_BYTES).forEach(note);
  const { key } = resolveLimits({});
  const traffic = Buffer.from(generateKey());
  const half = new SealingHalf(traffic, key, 0);
  const inner = Buffer.from(TEXT);
  for (let n = 0; n < MESSAGES; n++) note(sealRecord(half, inner));
  const updated = new SealingHalf(traffic, key, 0, 7);
  updated.updateKey(0);
  note(sealRecord(updated, inner));
  equal += count - seen.size;
  return stands(
    `${MESSAGES} equal messages, ${count} blocks, ${seen.size} distinct, the same counter under the next key among them`,
    {
      [`${equal} blocks or answers are not as they should be`]: equal > 0,
    },
  );
}

/** IVs come from a key of their own and the counter: none is on the wire, none repeats, none follows from what is. */
async function lookForIv() {
  const traffic = Buffer.from(generateKey());
  const { ivKey } = expandKey(traffic);
  const ivs = new IvSequence(ivKey, 0);
  const half = new SealingHalf(traffic, resolveLimits({}).key, 0);
  const wire: Buffer[] = [];
  const hex = new Set<string>();
  let guessed = 0;
  for (let n = 0; n < MESSAGES; n++) {
    const record = sealRecord(half, Buffer.from(TEXT));
    const previous = wire.at(-1);
    if (
      previous !== undefined &&
      (ivs.current.equals(previous.subarray(-16)) || ivs.current.equals(previous.subarray(-32, -16)))
    ) {
      guessed += 1; // chained from the record before, as in TLS 1.0
    }
    hex.add(ivs.current.toString('hex'));
    wire.push(record);
    ivs.advance();
  }
  const bytes = Buffer.concat(wire);
  const onTheWire = [...hex].filter((iv) => bytes.includes(Buffer.from(iv, 'hex'))).length;
  return stands(`${hex.size} IVs for ${MESSAGES} records, none in ${bytes.length} bytes of records`, {
    'an IV is on the wire': onTheWire > 0,
    'an IV came twice': hex.size !== MESSAGES,
    'an IV is the end of the record before': guessed > 0,
  });
}

/** Guesses a secret next to the attacker's own text by the length of the record (CRIME, 2012). */
async function compareLengths() {
  const channel = await Channel.open();
  const client = channel.client();
  const lengths: number[] = [];
  const secret = 'token=4711471147114711';
  for (const guess of [secret, 'qzjx#~kvw^9@!u%m&3t+8Y'].map((text) => text.repeat(40))) {
    const before = channel.proxy.bytes('c2s').length;
    await outcomeOf(client, 'echo', secret + guess);
    lengths.push(channel.proxy.bytes('c2s').length - before - (before === 0 ? MESSAGE_1_BYTES + CONFIRM_BYTES : 0));
  }
  const compressed = [secret.repeat(41)].map((text) => deflateSync(text).length);
  return stands(
    `right and wrong guess both took ${lengths.join(' and ')} bytes; compressed, the right one would take ${compressed.join()}`,
    {
      'the length distinguishes the guesses': new Set(lengths).size !== 1,
      'the message has shrunk': (lengths[0] ?? 0) < secret.length * 41,
    },
  );
}

export const EQUALITY: readonly Attack[] = [
  {
    row: 4,
    name: 'compares ciphertexts of equal messages',
    against: { L: compareLegacy, M: compareMoleculer, S: compareChannel },
  },
  { row: 5, name: 'looks for IVs, and for a rule behind them', against: { S: lookForIv } },
  { row: 42, name: 'guesses a text by compressed length', against: { S: compareLengths } },
];
