// Rows 1 and 3: somebody on the path changes bits, and lengths.
import { createDecipheriv } from 'node:crypto';

import { CLIENT_RECORD_FAULTS } from '../../adversarial/faults/record.js';
import { UNCONFIRMED_FAULTS } from '../../adversarial/faults/handshake.js';
import { RoguePeer } from '../../support/rogue-peer.js';
import { asked, request } from '../../support/rogue-words.js';
import { flipBit } from '../../support/tcp-proxy.js';
import { falls, NotCarriedOut, stands, type Attack } from '../attack.js';
import { atEnd } from '../clean-up.js';
import { play } from '../play.js';
import { Channel, CONFIRM_BYTES, eventually, outcomeOf } from '../targets/channel.js';
import { LegacyWire } from '../targets/legacy.js';
import { flipBitOfNestPsk } from './nest-psk.js';
import { bodyOf, isRequest, MoleculerPair, newSecret } from '../targets/moleculer.js';

const BLOCK_BYTES = 16;
const REQUEST_BYTES = 50;
const AT_ONCE = 32;
const ONE_TO_NINE = 0x31 ^ 0x39;

/** "pay 100" is in the second block: a flip in the first block changes it, and turns the first one into noise. */
async function payMoreOnLegacy() {
  const wire = await LegacyWire.open();
  wire.proxy.alter = (chunk) => {
    const altered = Buffer.from(chunk);
    altered.writeUInt8(altered.readUInt8(4) ^ ONE_TO_NINE, 4);
    return altered;
  };
  await wire.send('Transfer number:pay 100 to Alice');
  await wire.handles(1);
  const [text = ''] = wire.texts;
  return falls(`sent "pay 100 to Alice", handled "${text.slice(-BLOCK_BYTES)}"`, text.endsWith('pay 900 to Alice'));
}

/** The attacker has the program too: with another key it shows where the amount is, and for which length. */
async function learnLayout(): Promise<{ readonly memoBytes: number; readonly at: number }> {
  const secret = newSecret();
  const pair = await MoleculerPair.open(secret);
  for (let memoBytes = 48; memoBytes < 64; memoBytes++) {
    await pair.pay({ memo: 'x'.repeat(memoBytes), amount: 100 });
    const packet = pair.requests.at(-1) ?? Buffer.alloc(0);
    const decipher = createDecipheriv('aes-256-cbc', secret.password, secret.iv);
    const plaintext = Buffer.concat([decipher.update(bodyOf(packet)), decipher.final()]).toString();
    const at = plaintext.indexOf('"amount":') + '"amount":'.length;
    // The block before the one with the amount has to lie within the memo.
    if (at % BLOCK_BYTES >= '","amount":'.length) return { memoBytes, at };
  }
  throw new NotCarriedOut('No memo puts the amount at a place that can be changed');
}

/** The block before the amount becomes noise inside a text, which is good JSON about one time in ten. */
async function payMoreOnMoleculer() {
  const { memoBytes, at } = await learnLayout();
  const pair = await MoleculerPair.open();
  pair.proxy.alter = (chunk) => {
    if (!isRequest(chunk)) return chunk;
    const altered = Buffer.from(chunk);
    const flipped = chunk.length - bodyOf(chunk).length + at - BLOCK_BYTES;
    altered.writeUInt8(altered.readUInt8(flipped) ^ ONE_TO_NINE, flipped);
    return altered;
  };
  for (let calls = 1; calls <= 300; calls++) {
    await pair.pay({ memo: 'x'.repeat(memoBytes), amount: 100 }, 30);
    if (pair.paid.some(({ amount }) => amount === 900)) {
      return falls(`the till sent amount 100, and call ${calls} made the bank pay 900`, true);
    }
  }
  await eventually(() => pair.paid.some(({ amount }) => amount === 900));
  const isPaid = pair.paid.some(({ amount }) => amount === 900);
  return falls(`300 calls, and ${isPaid ? 'the bank paid 900' : 'no amount was changed'}`, isPaid);
}

async function flipEveryBit() {
  const channel = await Channel.open();
  let connections = 0;
  const accepted: string[] = [];
  const bits = (CONFIRM_BYTES + 2 * REQUEST_BYTES) * 8;
  const recordOf = (bit: number): number => Math.ceil((bit + 1 - CONFIRM_BYTES * 8) / (REQUEST_BYTES * 8));
  const attempt = async (bit: number): Promise<void> => {
    const rogue = await RoguePeer.dial(channel.port);
    atEnd(() => rogue.socket.destroy());
    rogue.write(rogue.message1());
    await rogue.hears('message 2');
    const requests = [1, 2].map((stream) => request(stream, asked('count', bit * 2 + stream)));
    const stream = rogue.sealed(rogue.confirm(), ...requests);
    // A length that has grown makes the server wait for more: there is no more.
    rogue.socket.end(flipBit('c2s', bit)(stream, 0, 'c2s'));
    await rogue.left;
    connections += 1;
    for (const record of [1, 2]) {
      if (record >= recordOf(bit) && channel.handled.includes(bit * 2 + record)) accepted.push(`bit ${bit}`);
    }
  };
  for (let from = 0; from < bits; from += AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, bits - from) }, (_, index) => attempt(from + index)));
  }
  return stands(`${connections} connections with one flipped bit each, all ended at that record`, {
    'an altered record was handled': accepted.length > 0,
    'not every connection ended': channel.ended.length !== bits,
    'others were not served': (await outcomeOf(channel.client(), 'echo', 1)) !== 1,
  });
}

export const TAMPERING: readonly Attack[] = [
  {
    row: 1,
    name: 'flips a bit',
    against: { L: payMoreOnLegacy, M: payMoreOnMoleculer, S: flipEveryBit, T: flipBitOfNestPsk },
    withstoodBy: ['T'],
  },
  {
    row: 3,
    name: 'cuts or stretches a record, or its tag',
    against: {
      S: () => play([...CLIENT_RECORD_FAULTS, ...UNCONFIRMED_FAULTS], /announces a record of|forges CONFIRM/),
    },
  },
];
