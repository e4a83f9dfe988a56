// Rows 13 to 18: somebody poses as somebody else, or as something else.
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';

import { generateKey, Keyring, SecretKey } from '@sealwire/crypto';
import { LegacyServer } from '../../../libs/transport/src/legacy/index.js';
import { KeyPair, respond, startInitiator } from '../../../libs/channel/src/handshake/index.js';
import { HONEST, KEY, RoguePeer, SERVER_ID } from '../../support/rogue-peer.js';
import { legacyPortOf, listenLegacy } from '../../support/legacy.js';
import { newClient } from '../../support/pair.js';
import { falls, stands, type Attack } from '../attack.js';
import { atEnd } from '../clean-up.js';
import { Channel, outcomeOf, PATIENT } from '../targets/channel.js';
import { LegacyWire, sendRaw } from '../targets/legacy.js';
import { misleadNestPsk, probeNestPsk } from './nest-psk.js';

const ALERT = 'e1534c5701ff0000';

/** A node's own call is led back to its own server (tinc CVE-2018-16737). */
async function selfie() {
  const refusing = await Channel.open({ rejectSelf: true });
  const self = await outcomeOf(refusing.client(), 'count', 1);
  const careful = await Channel.open();
  const atClient = await outcomeOf(careful.client(careful.proxy.port, { rejectSelf: true }), 'count', 1);
  const named = await Channel.open({ service: 'ledger' });
  const other = await outcomeOf(named.client(), 'count', 1);
  return stands(
    `with rejectSelf ${String(self)} (${refusing.ended.join()}), at the client ${String(atClient)}, with another service name ${String(other)}`,
    {
      'it talked to itself': refusing.handled.length + careful.handled.length + named.handled.length > 0,
      'rejectSelf was not what ended it': !refusing.ended.includes('ERR_SELF_CONNECTION'),
      'rejectSelf of the client was not what ended it': atClient !== 'ERR_SELF_CONNECTION',
      'the service name was not what ended it': !named.ended.includes('ERR_BAD_MAC'),
    },
  );
}

/** Two programs that share a key file: a message for the one is led to the other. */
async function misleadLegacy() {
  const wire = await LegacyWire.open();
  const ciphertext = await wire.record('delete everything');
  const other = await wire.bench.startServer();
  await sendRaw(legacyPortOf(other), ciphertext);
  await wire.handles(2);
  return falls(`the other program handled "${wire.texts.at(-1)}"`, wire.texts.length === 2);
}

async function misleadChannel() {
  const channel = await Channel.open({ service: 'ledger' });
  const client = newClient(channel.proxy.port, { ...PATIENT, service: 'archive' });
  const result = await outcomeOf(client, 'count', 1);
  const answered = channel.proxy.bytes('s2c').toString('hex');
  return stands(`${String(result)}, the server said ${answered}`, {
    'a handler ran': channel.handled.length > 0,
    'it was not refused at message 1': answered !== ALERT,
  });
}

const FOREIGN: Readonly<Record<string, Buffer>> = {
  HTTP: Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
  TLS: Buffer.from('16030100050100000100', 'hex'),
  'Nest TCP': Buffer.from('17#{"pattern":"count"}'),
  'the legacy wire': Buffer.alloc(16, 0x5a),
  'version 2': Buffer.concat([Buffer.from('e1534c5702010048', 'hex'), Buffer.alloc(72)]),
  'records without a handshake': Buffer.concat([Buffer.of(0, 32), Buffer.alloc(32)]),
};

async function downgrade() {
  const channel = await Channel.open();
  const replies: string[] = [];
  for (const bytes of Object.values(FOREIGN)) replies.push((await speak(channel.port, bytes)).toString('hex'));
  return stands(`${Object.keys(FOREIGN).join(', ')}: the alert of 8 bytes, and closed`, {
    [`a reply is not the alert: ${[...new Set(replies)].join()}`]: replies.some((reply) => reply !== ALERT),
    'a handler ran': channel.runs > 0,
    'others were not served': !(await channel.servesOthers()),
  });
}

/** Sends bytes and gathers what comes back until the end. */
async function speak(port: number, bytes: Buffer): Promise<Buffer> {
  const socket = connect(port, '127.0.0.1');
  atEnd(() => socket.destroy());
  const received: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => received.push(chunk)).on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(bytes);
  await once(socket, 'close');
  return Buffer.concat(received);
}

/** What leaks on the legacy wire would be good for the channel (DROWN, 2016). */
async function shareKey() {
  const wire = await LegacyWire.open();
  const keyFile = join(wire.bench.directory, 'copy.bin');
  writeFileSync(keyFile, wire.bench.key, { mode: 0o600 });
  const server = new LegacyServer({
    port: 0,
    keyFile,
    channelKeyring: Keyring.of(SecretKey.fromBytes(wire.bench.key)),
  });
  server.addHandler('message', () => Promise.resolve());
  const failure = await listenLegacy(server).then(
    () => 'it started',
    (error: { code?: string }) => error.code,
  );
  await server.close();
  return stands(`a copy of the key under another name: ${failure}`, {
    'it started': failure !== 'ERR_LEGACY_KEY_SHARED',
  });
}

const STRANGERS = 400;

/** Learns from answers or times which keys a server knows. */
async function probeKeys() {
  const channel = await Channel.open();
  const kinds = {
    'unknown key id': { keyId: Buffer.alloc(8, 1), psk: Buffer.alloc(32, 1) },
    'known key id, wrong key': { ...KEY, psk: Buffer.alloc(32, 1) },
  };
  const heard = new Set<string>();
  const times: string[] = [];
  for (const [kind, key] of Object.entries(kinds)) {
    const micros: number[] = [];
    for (let tries = 0; tries < STRANGERS; tries++) {
      const rogue = await RoguePeer.dial(channel.port);
      const startMs = performance.now();
      rogue.write(rogue.message1({}, key));
      await rogue.left;
      micros.push((performance.now() - startMs) * 1000);
      heard.add(rogue.words.join());
      rogue.socket.destroy();
    }
    micros.sort((a, b) => a - b);
    const at = (part: number): number => Math.round(micros[Math.floor(STRANGERS * part)] ?? 0);
    times.push(`${kind} ${at(0.1)}/${at(0.5)}/${at(0.9)} us`);
  }
  return stands(
    `both receive: ${[...heard].join(' or ')}; 10th/50th/90th percentile ${times.join(', ')} (reported, not judged)`,
    {
      'the answers differ': heard.size !== 1 || !heard.has('alert'),
    },
  );
}

/** Names another key on the server's ring in a message 1 that was made under this one. */
async function confuseKeys() {
  const second = SecretKey.fromBytes(generateKey());
  const own = SecretKey.fromBytes(generateKey());
  const channel = await Channel.open({ keyring: Keyring.of(own, second) });
  const rogue = await RoguePeer.dial(channel.port);
  const message1 = rogue.message1({}, { keyId: Buffer.from(own.idBytes), psk: Buffer.from(own.psk()) });
  Buffer.from(second.idBytes).copy(message1, 8);
  rogue.write(message1);
  await rogue.left;
  const isBound = bindsKeyId();
  return stands(
    `ended with ${channel.ended.join()}, received ${rogue.words.join()}; the same key under another id fails`,
    {
      'it was taken': channel.ended.join() !== 'ERR_BAD_MAC' || rogue.words.join() !== 'alert',
      'the same key under another id was taken': !isBound,
      'others were not served': !(await servesHolderOf(own, channel)),
    },
  );
}

/** Only the header differs, and the responder has the same key for every id: nothing but the prologue can tell. */
function bindsKeyId(): boolean {
  const options = { service: 'default', announcement: HONEST };
  const { message1 } = startInitiator(KEY, { ...options, instance: KeyPair.generate() });
  const answer = (bytes: Buffer): unknown => respond(() => KEY.psk, { ...options, instanceId: SERVER_ID }, bytes);
  answer(message1);
  const renamed = Buffer.from(message1);
  renamed.writeUInt8(renamed.readUInt8(8) ^ 1, 8);
  try {
    answer(renamed);
    return false;
  } catch (error) {
    return (error as { code?: string }).code === 'ERR_BAD_MAC';
  }
}

async function servesHolderOf(key: SecretKey, channel: Channel): Promise<boolean> {
  const client = newClient(channel.port, { ...PATIENT, keyring: Keyring.of(key) });
  return (await outcomeOf(client, 'echo', 'unharmed')) === 'unharmed';
}

export const IDENTITY: readonly Attack[] = [
  { row: 13, name: 'leads a client to its own server', against: { S: selfie, T: misleadNestPsk } },
  {
    row: 14,
    name: 'leads a client to another service',
    against: { L: misleadLegacy, S: misleadChannel, T: misleadNestPsk },
  },
  { row: 15, name: 'asks for less, or for something else', against: { S: downgrade } },
  { row: 16, name: 'counts on one key for both wires', against: { S: shareKey } },
  { row: 17, name: 'probes which keys a server knows', against: { S: probeKeys, T: probeNestPsk } },
  { row: 18, name: 'swaps the key id', against: { S: confuseKeys } },
];
