// Row 34: whoever sees the logs, the errors, a dump of an object or the strings of a heap looks for a key in them.
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { generateKey, Keyring, SecretKey } from '@sealwire/crypto';
import { call, post } from '../../support/http-call.js';
import { AppProcesses, type AppProcess, type Env } from '../../support/app-process.js';
import { findSecrets, findSecretsInOutput, formsOf } from '../../support/secret-forms.js';
import { describeEverything } from '../../support/secret-dumps.js';
import { stands, type Attack } from '../attack.js';
import { atEnd } from '../clean-up.js';
import { comesTrue } from '../targets/channel.js';
import { dialKnown, listenKnown, secretsOf } from '../targets/known-session.js';

const PRELOAD = pathToFileURL(fileURLToPath(new URL('../planted.js', import.meta.url))).href;
const MIB = 1_048_576;

type Secrets = Readonly<Record<string, Uint8Array>>;

/** The strings of a heap. A snapshot has no contents of buffers, so that what is found has been made a text. */
async function stringsOf(app: AppProcess, file: string): Promise<{ strings: readonly string[]; bytes: number }> {
  app.signal('SIGUSR2');
  await comesTrue('a heap is written', () => existsSync(`${file}.done`));
  const text = readFileSync(file, 'utf8');
  const { strings } = JSON.parse(text) as { strings: readonly string[] };
  return { strings, bytes: text.length };
}

/** The apps are used as they are meant to be, and as they are not. */
async function use(trigger: string): Promise<void> {
  for (let calls = 0; calls < 20; calls++) await post(`${trigger}/messages`, { text: `message ${calls}` });
  await post(`${trigger}/send/echo`, { deep: [1, 2, 3] });
  await post(`${trigger}/send/nowhere`, {});
  await post(`${trigger}/send/message`, { text: 5 });
  await post(`${trigger}/emit/notice`, { text: 'noted' });
  await call(`${trigger}/send/echo`, { headers: { 'content-type': 'application/json' }, body: '{' });
  await call(`${trigger}/send/%7B%22a%22%3A`, {});
  await call(`${trigger}/health`, { method: 'GET' });
}

interface Stage {
  readonly apps: Readonly<Record<string, AppProcess>>;
  readonly heaps: Readonly<Record<string, string>>;
  readonly sessions: Secrets;
  readonly control: Buffer;
}

/** A server and a client in use; a session at the server, and one of a second client, whose keys are known. */
async function setTheStage(file: Buffer): Promise<Stage> {
  const processes = new AppProcesses();
  atEnd(() => processes.end());
  const folder = await processes.directory();
  writeFileSync(join(folder, 'aes_key.bin'), file, { mode: 0o600 });
  const key = SecretKey.fromBytes(file);
  const control = Buffer.from(
    randomBytes(32)
      .toString('latin1')
      .replaceAll(/[\r\n]/g, ' '),
    'latin1',
  ); // one line
  const heaps = {
    server: join(folder, 'server.heap'),
    client: join(folder, 'client.heap'),
    other: join(folder, 'other.heap'),
  };
  const env = (heap: string): Env => ({
    NODE_OPTIONS: `--import=${PRELOAD}`,
    PLANTED_SECRET: control.toString('hex'),
    PLANTED_HEAP: heap,
  });
  const server = await processes.start('server', env(heaps.server));
  const { channel = '' } = await server.ready();
  const known = await listenKnown(key);
  const client = await processes.start('client', { ...env(heaps.client), SEALWIRE_SERVERS: channel });
  const other = await processes.start('client', { ...env(heaps.other), SEALWIRE_SERVERS: `127.0.0.1:${known.port}` });
  await use((await client.ready())['trigger'] ?? '');
  await call(`${(await other.ready())['trigger']}/send/echo?timeout=100`, {});
  const dialed = await dialKnown(Number(channel.split(':')[1]), key);
  await use((await client.ready())['trigger'] ?? '');
  const sessions = { ...named('server', secretsOf(dialed)), ...named('client', secretsOf(await known.session)) };
  return { apps: { server, client, other }, heaps, sessions, control };
}

const named = (who: string, secrets: Secrets): Secrets =>
  Object.fromEntries(Object.entries(secrets).map(([name, secret]) => [`${who}: ${name}`, secret]));

async function searchEverywhere() {
  const file = Buffer.from(generateKey());
  const key = SecretKey.fromBytes(file);
  const { apps, heaps, sessions, control } = await setTheStage(file);
  const secrets: Secrets = {
    'the key file': file,
    'its first half': file.subarray(0, 16),
    'its second half': file.subarray(16),
    'the psk': key.psk(),
    ...sessions,
  };
  const controls = Object.keys(formsOf(control)).length;
  const found: string[] = [];
  const missed: string[] = [];
  let [strings, bytes, printed] = [0, 0, 0];
  for (const [name, app] of Object.entries(apps)) {
    const heap = await stringsOf(app, heaps[name] ?? '');
    strings += heap.strings.length;
    bytes += heap.bytes;
    found.push(...findSecrets(heap.strings, secrets).map((what) => `${what} in the heap of ${name}`));
    if (findSecrets(heap.strings, { control }).length !== controls) missed.push(`the heap of ${name}`);
    found.push(...findSecretsInOutput(app.output, secrets).map((what) => `${what} in the output of ${name}`));
    for (const stream of app.output) {
      printed += stream.length;
      if (findSecretsInOutput([stream], { control }).length !== controls + 1) missed.push(`the output of ${name}`);
    }
  }
  const dumps = await describeEverything(Keyring.of(key), file);
  found.push(...findSecrets(dumps, secrets).map((what) => `${what} in a dump`));
  if (findSecrets([...dumps, formsOf(control)['hex'] ?? ''], { control }).length !== 1) missed.push('the dumps');
  const searched = `${Object.keys(secrets).length} secrets in ${controls} forms`;
  const places = `${strings} strings of 3 heaps (${Math.round(bytes / MIB)} MiB), ${printed} bytes that 3 apps printed, ${dumps.length} dumps and errors`;
  return stands(`${searched}, none in ${places}; the planted one found in every form in each heap and each output`, {
    [found.join(', ')]: found.length > 0,
    [`the control was not found in ${missed.join(', ')}`]: missed.length > 0,
  });
}

export const SECRETS: readonly Attack[] = [
  { row: 34, name: 'looks for keys in logs, errors and heaps', against: { S: searchEverywhere } },
];
