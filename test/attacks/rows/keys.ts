// Rows 31 to 33, 35, 36, 43 and 45: key files, randomness, and the cipher under other eyes.
import crypto from 'node:crypto';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { generateKey, Keyring, loadKeyring, openA128CbcHs256, sealA128CbcHs256 } from '@sealwire/crypto';
import { base64url, compactDecrypt, CompactEncrypt } from 'jose';
import { KeyPair } from '../../../libs/channel/src/handshake/index.js';
import { LiveKeys, newKey, pskOf } from '../../support/live-keys.js';
import { keyring } from '../../support/pair.js';
import { RoguePeer } from '../../support/rogue-peer.js';
import { asked, request } from '../../support/rogue-words.js';
import { stands, type Attack } from '../attack.js';
import { atEnd } from '../clean-up.js';
import { Channel, comesTrue, MESSAGE_1_BYTES, outcomeOf } from '../targets/channel.js';
import { resumeAfterRevocation, stayAfterRotation } from './nest-psk.js';

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sealwire-attacks-'));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const WEAK: Readonly<Record<string, Buffer>> = {
  zeros: Buffer.alloc(32),
  'one byte repeated': Buffer.alloc(32, 0x5a),
  'few bytes': Buffer.alloc(32, Buffer.from([1, 2, 3, 4, 5, 6, 7, 8])),
  text: Buffer.from('0123456789abcdefFEDCBA9876543210'),
  base64: Buffer.from(Buffer.from(generateKey()).toString('base64').slice(0, 32)),
  'a sequence': Buffer.from(Array.from({ length: 32 }, (_, at) => (at * 7 + 3) & 0xff)),
  '31 bytes': Buffer.from(generateKey()).subarray(1),
  '33 bytes': Buffer.concat([generateKey(), Buffer.of(1)]),
  nothing: Buffer.alloc(0),
};

async function offerWeakKeys() {
  const folder = newFolder();
  const refused: string[] = [];
  for (const [name, bytes] of Object.entries(WEAK)) {
    const path = join(folder, name);
    writeFileSync(path, bytes, { mode: 0o600 });
    refused.push(`${name} ${await loadFailure(path)}`);
  }
  return stands(refused.join(', '), { 'a weak key was taken': refused.some((text) => text.endsWith('none')) });
}

async function loadFailure(path: string): Promise<string> {
  return loadKeyring(path).then(
    () => 'none',
    (error: { code?: string }) => String(error.code),
  );
}

/** What somebody else may have put, or may read, where the key file should be. */
async function offerBadFiles() {
  const folder = newFolder();
  const good = join(folder, 'good');
  writeFileSync(good, generateKey(), { mode: 0o600 });
  const make: Readonly<Record<string, (path: string) => unknown>> = {
    'mode 0644': (path) => {
      writeFileSync(path, generateKey());
      chmodSync(path, 0o644);
    },
    'mode 0640': (path) => {
      writeFileSync(path, generateKey());
      chmodSync(path, process.getuid?.() === 0 ? 0o660 : 0o640); // root's own may be 0640
    },
    'a link': (path) => symlinkSync(good, path),
    'a directory': (path) => mkdirSync(path),
    'a pipe': (path) => promisify(execFile)('mkfifo', ['-m', '600', path]),
    'half a key': (path) => writeFileSync(path, generateKey().subarray(0, 16), { mode: 0o600 }),
    'no file': () => undefined,
  };
  const refused: string[] = [];
  for (const [name, put] of Object.entries(make)) {
    const path = join(folder, name);
    await put(path);
    refused.push(`${name} ${await loadFailure(path)}`);
  }
  return stands(refused.join(', '), {
    'a bad file was taken': refused.some((text) => text.endsWith('none')),
    'a good one was not': (await loadFailure(good)) !== 'none',
  });
}

const MAKERS = 8;

async function raceForKey() {
  const path = join(newFolder(), 'key.bin');
  const code = `import { loadKeyring } from '@sealwire/crypto';
    console.log((await loadKeyring(${JSON.stringify(path)}, { generate: true })).primary.id);`;
  const runs = Array.from({ length: MAKERS }, () =>
    promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code]),
  );
  const ids = new Set((await Promise.all(runs)).map(({ stdout }) => stdout.trim()));
  const { mode, size } = statSync(path);
  return stands(`${MAKERS} processes, ${ids.size} key, mode 0${(mode & 0o777).toString(8)}, ${size} bytes`, {
    'there is more than one key': ids.size !== 1,
    'others may read it': (mode & 0o077) !== 0 || size !== 32,
  });
}

/** Two connections of one server, made with the same message 1, must have nothing in common; without randomness there is none. */
async function breakRandom() {
  const channel = await Channel.open();
  const keys = new Set<string>();
  const probe = await RoguePeer.dial(channel.port);
  const message1 = probe.message1();
  probe.socket.destroy();
  for (let tries = 0; tries < 100; tries++) {
    const rogue = await RoguePeer.dial(channel.port);
    rogue.write(message1);
    const [answer] = (await once(rogue.socket, 'data')) as [Buffer];
    keys.add(answer.toString('hex', 8, 40));
    rogue.socket.destroy();
  }
  const client = channel.client();
  const instance = KeyPair.generate(); // the attacker's own randomness is not what breaks
  const { generateKeyPairSync } = crypto;
  atEnd(() => restore(generateKeyPairSync));
  restore(() => {
    throw new Error('no entropy');
  });
  const dialed = await outcomeOf(client, 'count', 1);
  const rogue = await RoguePeer.dial(channel.port, instance);
  rogue.write(message1);
  await rogue.left;
  restore(generateKeyPairSync);
  return stands(
    `100 answers to one message 1 have ${keys.size} keys; without randomness the client says ${String(dialed)}, the server ${rogue.words.join()}`,
    {
      'a key came twice': keys.size !== 100,
      'it opened without randomness': channel.runs > 0 || rogue.words.join() !== 'alert',
      'others were not served afterwards': !(await channel.servesOthers()),
    },
  );
}

function restore(generate: typeof crypto.generateKeyPairSync): void {
  crypto.generateKeyPairSync = generate;
  syncBuiltinESMExports();
}

/** jose opens what we seal, and we open what jose seals: whoever looks for a private flavour of the cipher finds none. */
async function crossCheck() {
  const header = { alg: 'dir', enc: 'A128CBC-HS256' } as const;
  let different = 0;
  for (let size = 0; size < 200; size++) {
    const [key, iv, text] = [generateKey(), generateKey().subarray(16), Buffer.alloc(size, size)];
    const encoded = base64url.encode(JSON.stringify(header));
    const sealed = sealA128CbcHs256(key, iv, Buffer.from(encoded), text);
    const parts = [iv, sealed.subarray(0, -16), sealed.subarray(-16)].map((part) => base64url.encode(part));
    const opened = await compactDecrypt([encoded, '', ...parts].join('.'), key);
    const jwe = await new CompactEncrypt(text).setProtectedHeader(header).encrypt(key);
    const [theirs = '', , theirIv = '', ciphertext = '', tag = ''] = jwe.split('.');
    const body = Buffer.concat([base64url.decode(ciphertext), base64url.decode(tag)]);
    const ours = openA128CbcHs256(key, base64url.decode(theirIv), Buffer.from(theirs), body);
    if (!text.equals(opened.plaintext) || !text.equals(ours)) different += 1;
  }
  return stands('200 sizes, jose opens ours and we open theirs', { [`${different} differ`]: different > 0 });
}

/** Keeps a connection, and half a handshake, over the time in which operators replace its key. */
async function keepRotatedKey() {
  const [old, next] = [newKey(), newKey()];
  const serverKeys = new LiveKeys(keyring.primary, old);
  const clientKeys = new LiveKeys(old);
  const channel = await Channel.open({ keyring: serverKeys, timeouts: { drainMs: 1_000 } });
  const client = channel.client(channel.port, { keyring: clientKeys });
  const answers: Promise<unknown>[] = [];
  const load = setInterval(() => answers.push(outcomeOf(client, 'echo', 'ok')), 5); // 200 calls in a second
  atEnd(() => clearInterval(load));
  const [insider, half] = [await channel.insider(pskOf(old)), await channel.stranger(pskOf(old))];
  await comesTrue('50 calls under the old key', () => answers.length > 50);
  serverKeys.add(next);
  clientKeys.primary = next;
  serverKeys.remove(old);
  half.say(half.confirm(), request(1, asked('count', 1)));
  await insider.hears('GOAWAY'); // and does not answer it
  const removedMs = performance.now();
  await insider.left;
  const keptMs = Math.round(performance.now() - removedMs);
  const after = answers.length;
  await comesTrue('50 calls under the new key', () => answers.length > after + 50);
  clearInterval(load);
  const failed = (await Promise.all(answers)).filter((answer) => answer !== 'ok');
  const again = await channel.greeting(pskOf(old));
  return stands(
    `${answers.length} calls, ${failed.length} failed; the old connection got GOAWAY and ended after ${keptMs} ms; half a handshake: ${half.words.join()}; again: ${again}`,
    {
      [`calls failed: ${String(failed[0])}`]: failed.length > 0,
      'the old connection stayed': keptMs > 5_000,
      'half a handshake was completed': half.words.join() !== 'message 2' || channel.runs > 0,
      'the old key was accepted again': again !== 'alert',
      'a connection has the old key': channel.server.snapshot().connectionsByKey.some(({ keyId }) => keyId === old.id),
    },
  );
}

/** Holds a connection, half a handshake and a recorded message 1 when the key is revoked, and tries them all. */
async function returnAfterRevocation() {
  const stolen = newKey();
  const keys = new LiveKeys(keyring.primary, stolen);
  const channel = await Channel.open({ keyring: keys });
  const [insider, half] = [await channel.insider(pskOf(stolen)), await channel.stranger(pskOf(stolen))];
  await outcomeOf(channel.client(channel.proxy.port, { keyring: Keyring.of(stolen) }), 'echo', 1);
  const recorded = channel.proxy.bytes('c2s').subarray(0, MESSAGE_1_BYTES);
  insider.say(request(1, asked('hang', 1)));
  await comesTrue('a handler runs for the insider', () => channel.runs === 1);
  const startMs = performance.now();
  keys.revoke(stolen);
  await insider.left;
  const tookMs = Math.round(performance.now() - startMs);
  insider.say(request(2, asked('count', 2)));
  half.say(half.confirm(), request(1, asked('count', 1)));
  await half.left;
  const [replayed, again] = [await channel.greeting(pskOf(stolen), recorded), await channel.greeting(pskOf(stolen))];
  return stands(
    `the connection ended after ${tookMs} ms (${channel.ended.join()}); half a handshake: ${half.words.join()}; recorded message 1: ${replayed}; again: ${again}`,
    {
      'the connection lived for more than a second': tookMs > 1_000,
      'a handler ran after the revocation': channel.runs > 1,
      'half a handshake was completed': half.words.join() !== 'message 2',
      'the key was accepted again': replayed !== 'alert' || again !== 'alert',
      'others were not served': !(await channel.servesOthers()),
    },
  );
}

export const KEYS: readonly Attack[] = [
  { row: 31, name: 'counts on a weak key', against: { S: offerWeakKeys } },
  { row: 32, name: 'counts on a bad key file', against: { S: offerBadFiles } },
  { row: 33, name: 'makes a key in many processes at the same time', against: { S: raceForKey } },
  { row: 35, name: 'keeps a key that was rotated out', against: { S: keepRotatedKey, T: stayAfterRotation } },
  {
    row: 36,
    name: 'comes back after its key was revoked',
    against: { S: returnAfterRevocation, T: resumeAfterRevocation },
  },
  { row: 43, name: 'breaks the random source', against: { S: breakRandom } },
  { row: 45, name: 'compares the cipher with another', against: { S: crossCheck } },
];
