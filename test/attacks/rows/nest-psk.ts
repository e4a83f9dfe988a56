// The rows that apply to Nest's own TCP transport over TLS with a pre-shared key. What TLS holds it holds; what is missing
// is what TLS leaves to the program around it.
import { randomBytes } from 'node:crypto';

import { falls, NotCarriedOut, stands, type Observation } from '../attack.js';
import { comesTrue } from '../targets/channel.js';
import { NestPsk } from '../targets/nest-psk.js';

/** The TLS record of the next call, as `change` makes it. */
async function alterOneCall(change: (record: Buffer) => Buffer): Promise<Observation> {
  const nest = await NestPsk.open();
  const client = nest.client();
  await client.call('count', 'before');
  let isAltered = false;
  nest.proxy.alter = (chunk, _offset, direction) => {
    if (direction === 's2c' || isAltered) return chunk;
    isAltered = true;
    return change(chunk);
  };
  const call = client.call('count', 'altered');
  await comesTrue('the call reaches the proxy', () => isAltered);
  const result = await call;
  const handled = await nest.handled();
  const times = handled.filter((data) => data !== 'before').length;
  const unharmed = await nest.visit();
  return stands(`the call ended with ${String(result)}, handled ${times} times`, {
    'it was handled more often than it was sent': times > 1,
    'a changed call was handled': handled.some((data) => data !== 'before' && data !== 'altered'),
    'others were not served': unharmed.said !== 'hello',
  });
}

export const flipBitOfNestPsk = (): Promise<Observation> =>
  alterOneCall((record) => {
    const altered = Buffer.from(record);
    const at = Math.floor(altered.length / 2);
    altered.writeUInt8(altered.readUInt8(at) ^ 1, at);
    return altered;
  });

export const replayNestPsk = (): Promise<Observation> => alterOneCall((record) => Buffer.concat([record, record]));

export async function replayIntoNewNestPsk(): Promise<Observation> {
  const nest = await NestPsk.open();
  await nest.client().call('count', 'once');
  const recorded = nest.proxy.recorded.c2s.at(-1);
  if (recorded === undefined) throw new NotCarriedOut('No record was seen');
  nest.proxy.reset();
  let isReplayed = false;
  nest.proxy.alter = (chunk, offset, direction) => {
    if (direction === 's2c' || offset === 0 || isReplayed) return chunk;
    isReplayed = true;
    return Buffer.concat([chunk, recorded]);
  };
  const result = await nest.client().call('echo', 'again');
  const handled = await nest.handled();
  return stands(`the next connection ended with ${String(result)}, handled ${handled.length} times`, {
    'it was handled again': handled.length > 1,
  });
}

/** A call for one server is led to another that has the same key: nothing in the handshake names the service or the role. */
export async function misleadNestPsk(): Promise<Observation> {
  const psk = randomBytes(32);
  const [ledger, archive] = [await NestPsk.open(psk), await NestPsk.open(psk)];
  ledger.proxy.target = archive.proxy.port;
  const answer = await ledger.client().call('count', 'for the ledger');
  const [handled] = await archive.handled();
  return falls(`another server answered ${String(answer)} and handled "${String(handled)}"`, handled !== undefined);
}

/** Learns from the alerts which names a server has keys for. */
export async function probeNestPsk(): Promise<Observation> {
  const nest = await NestPsk.open();
  const wrong = randomBytes(32);
  const unknown = await nest.visit({ psk: wrong, identity: 'somebody' });
  const known = await nest.visit({ psk: wrong });
  return falls(`unknown name: ${unknown.said}; known name, wrong key: ${known.said}`, unknown.said !== known.said);
}

/** A connection that was made before its key was taken off the server. */
export async function stayAfterRotation(): Promise<Observation> {
  const nest = await NestPsk.open();
  const client = nest.client();
  await client.call('count', 'before');
  await nest.revoke();
  const refused = await nest.visit();
  const answer = await client.call('echo', 'still here');
  const saw = `a new connection: ${refused.said}; the old one: ${String(answer)}`;
  return falls(saw, refused.said !== 'hello' && answer === 'still here');
}

/** A client whose key was taken off the server comes back with the session that it has saved. */
export async function resumeAfterRevocation(): Promise<Observation> {
  const nest = await NestPsk.open();
  const before = await nest.visit();
  await nest.revoke();
  const refused = await nest.visit();
  const resumed = await nest.visit({ session: before.session });
  await nest.forgetTickets();
  const forgotten = await nest.visit({ session: before.session });
  const saw =
    `before: ${before.said}; key revoked: ${refused.said}; with the saved session: ${resumed.said}; ` +
    `after setTicketKeys: ${forgotten.said}`;
  return falls(saw, refused.said !== 'hello' && resumed.said === 'hello' && resumed.isResumed);
}
