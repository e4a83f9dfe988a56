// Rows 51 and 57: a page of another site, a foreign name for this machine, and whoever else can send HTTP, against the built apps.
import { setMaxListeners } from 'node:events';

import { call, open, post, type Answer, type Call } from '../../support/http-call.js';
import { AppProcesses } from '../../support/app-process.js';
import { stands, type Attack } from '../attack.js';
import { atEnd } from '../clean-up.js';

const TOKEN = 'correct horse battery staple'.replaceAll(' ', '-');
const AUTHORIZED = { authorization: `Bearer ${TOKEN}` };
const JSON_TYPE = { 'content-type': 'application/json' };

interface Attempt {
  readonly path: string;
  readonly options: Call;
  /** The statuses that refuse it. */
  readonly refused: number;
}

const to = (path: string, refused: number, options: Call): Attempt => ({ path, refused, options });

const ATTEMPTS: Readonly<Record<string, Attempt>> = {
  'a foreign Host': to('/send/echo', 403, { headers: { ...AUTHORIZED, host: 'evil.example' } }),
  'a name that is rebound': to('/send/echo', 403, { headers: { ...AUTHORIZED, host: '127.0.0.1.evil.example' } }),
  'a foreign Origin': to('/send/echo', 403, { headers: { ...AUTHORIZED, origin: 'https://evil.example' } }),
  'the Origin null': to('/send/echo', 403, { headers: { ...AUTHORIZED, origin: 'null' } }),
  'an image of a foreign page': to('/stream/echo', 403, {
    method: 'GET',
    headers: { ...AUTHORIZED, 'sec-fetch-site': 'cross-site' },
  }),
  'a form': to('/send/echo', 415, {
    headers: { ...AUTHORIZED, 'content-type': 'application/x-www-form-urlencoded' },
    body: 'a=1',
  }),
  'text/plain': to('/send/echo', 415, { headers: { ...AUTHORIZED, 'content-type': 'text/plain' }, body: '{}' }),
  'no token': to('/send/echo', 401, {}),
  'a wrong token': to('/send/echo', 401, { headers: { authorization: 'Bearer wrong' } }),
  'the start of the token': to('/send/echo', 401, { headers: { authorization: `Bearer ${TOKEN.slice(0, -1)}` } }),
  'a body with __proto__': to('/send/echo', 400, {
    headers: { ...AUTHORIZED, ...JSON_TYPE },
    body: '{"__proto__":{"polluted":1}}',
  }),
  'constructor.prototype': to('/send/echo', 400, {
    headers: { ...AUTHORIZED, ...JSON_TYPE },
    body: '{"a":{"constructor":{"prototype":{"polluted":1}}}}',
  }),
  '9 MiB': to('/send/echo', 413, { headers: { ...AUTHORIZED, ...JSON_TYPE }, body: `"${'x'.repeat(9_437_184)}"` }),
  'a pattern that is not JSON': to('/send/%7B%22a', 400, { headers: AUTHORIZED }),
  'a pattern with __proto__': to('/send/%7B%22__proto__%22%3A1%7D', 400, { headers: AUTHORIZED }),
  'a pattern like a method': to('/send/constructor', 404, { headers: AUTHORIZED }),
  'a pattern like a path': to('/send/..%2F..%2Fetc%2Fpasswd', 404, { headers: AUTHORIZED }),
};

async function callTrigger() {
  const apps = new AppProcesses();
  atEnd(() => apps.end());
  const server = await apps.start('server');
  const { channel = '' } = await server.ready();
  const client = await apps.start('client', { SEALWIRE_SERVERS: channel, HTTP_TOKEN: TOKEN });
  const { trigger = '' } = await client.ready();
  await client.logged('Connected to the server');
  const taken: string[] = [];
  const leaks: string[] = [];
  for (const [name, { path, options, refused }] of Object.entries(ATTEMPTS)) {
    const answer = await call(`${trigger}${path}`, { method: 'POST', ...options });
    if (answer.status !== refused) taken.push(`${name} ${answer.status}`);
    if (leaksInternals(answer)) leaks.push(name);
  }
  const honest = await post(`${trigger}/send/echo`, { fine: true }, { headers: AUTHORIZED });
  return stands(`${Object.keys(ATTEMPTS).length} calls refused: ${Object.keys(ATTEMPTS).join(', ')}`, {
    [`not refused: ${taken.join(', ')}`]: taken.length > 0,
    [`internals in the answer to ${leaks.join(', ')}`]: leaks.length > 0,
    'an honest call is not answered': honest.status !== 200,
  });
}

const IDLE_STREAMS = 1_200; // more than the channel has places
const UNFINISHED_BODIES = 100;
const BODY_BYTES = 8_000_000;
const UNREAD_STREAMS = 40;
const HONEST_ADDRESS = '127.0.0.2'; // of this machine as well, on Linux

/** One caller takes all that it gets; another one, at another address, wants what is usual. */
async function starveCallers() {
  const apps = new AppProcesses();
  atEnd(() => apps.end());
  const server = await apps.start('server');
  const { channel = '' } = await server.ready();
  const client = await apps.start('client', { SEALWIRE_SERVERS: channel });
  const { trigger = '' } = await client.ready();
  await client.logged('Connected to the server');
  const attackers = new AbortController();
  const { signal } = attackers;
  setMaxListeners(0, signal);
  const idle = stream({ from: 1_000_000, intervalMs: 60_000 });
  const streams = await allOf(IDLE_STREAMS, () => open(`${trigger}${idle}`, { method: 'GET', signal }));
  const unread = stream({ from: 1_000_000, intervalMs: 0 });
  await allOf(UNREAD_STREAMS, () => open(`${trigger}${unread}`, { method: 'GET', signal }));
  const headers = { ...JSON_TYPE, 'content-length': String(BODY_BYTES + 1) };
  const body = Buffer.alloc(BODY_BYTES, ' ');
  for (let bodies = 0; bodies < UNFINISHED_BODIES; bodies++) {
    open(`${trigger}/send/echo`, { headers, body, signal }).catch(() => undefined);
  }
  const honest = { localAddress: HONEST_ADDRESS };
  const answers = await Promise.all([
    post(`${trigger}/send/echo`, 'small', honest),
    post(`${trigger}/send/echo`, 'x'.repeat(1_000_000), honest),
    call(`${trigger}${stream({ from: 2, intervalMs: 0 })}`, { ...honest, method: 'GET' }),
    call(`${trigger}/health`, { ...honest, method: 'GET' }),
    post(`${trigger}/send/echo`, 'small, from the address of the attacker'),
  ]);
  attackers.abort();
  const refused = answers.filter(({ status }) => status !== 200).map(({ status, text }) => `${status} ${text}`);
  const taken = streams.filter((response) => response?.statusCode === 200).length;
  return stands(`${taken} of ${IDLE_STREAMS} streams taken, ${answers.length} honest calls answered`, {
    [`honest calls refused: ${refused.join(', ')}`]: refused.length > 0,
    'one caller takes every place': taken >= 1_024,
  });
}

const stream = (countdown: object): string => `/stream/countdown?data=${encodeURIComponent(JSON.stringify(countdown))}`;

function allOf<T>(count: number, begin: () => Promise<T>): Promise<(T | undefined)[]> {
  return Promise.all(Array.from({ length: count }, () => begin().catch(() => undefined)));
}

/** Stack traces, paths of files and names of modules. */
function leaksInternals({ text, headers }: Answer): boolean {
  return /\bat \S+ \(|node_modules|\/src\/|\.[jt]s:\d/.test(text) || 'x-powered-by' in headers;
}

export const TRIGGER: readonly Attack[] = [
  { row: 51, name: 'calls the trigger from elsewhere', against: { S: callTrigger } },
  { row: 57, name: 'starves other callers of the trigger', against: { S: starveCallers } },
];
