// Rows 58 to 61, and 64: what the content of a message costs a server, which handler it reaches, and what lies behind it.
import type { SealwireContext } from '../../../libs/transport/src/index.js';
import { asked, data, first, fragments, frame, message, MORE, noted, request } from '../../support/rogue-words.js';
import type { RoguePeer } from '../../support/rogue-peer.js';
import { stands, type Attack } from '../attack.js';
import { Channel, eventually } from '../targets/channel.js';

const MIB = 1_048_576;
const RECORD_BYTES = 60_000;
const NO_TIMEOUT = Buffer.alloc(4);

const json = (pattern: string, text: string): Buffer => message(NO_TIMEOUT, pattern, '', Buffer.from(`\0${text}`));
const heard = (rogue: RoguePeer, word: string): Promise<boolean> =>
  eventually(() => rogue.words.some((each) => each.includes(word)));

/** A message of any size. */
function send(rogue: RoguePeer, kind: 'REQUEST' | 'EVENT', stream: number, payload: Buffer): void {
  if (payload.length > RECORD_BYTES) rogue.say(...fragments(kind, stream, payload, RECORD_BYTES));
  else rogue.say(data(frame(kind, stream, payload)));
}

/** Requests and events whose handlers do not end, so that the server has to keep what they were given. */
async function fillMemory() {
  const channel = await Channel.open({ limits: { maxRunningBytes: 16 * MIB } });
  channel.server.addHandler('keep', () => new Promise(() => undefined), true);
  const rogue = await channel.insider();
  const objects = json('hang', `[${'{},'.repeat(49_999)}{}]`);
  for (let stream = 1; stream <= 20; stream++) send(rogue, 'REQUEST', stream, objects);
  const isRefused = await heard(rogue, 'ERROR 20 ERR_OVERLOADED');
  const { running, runningBytes, requestsRefused } = channel.server.snapshot();
  for (let stream = 21; stream <= 60; stream++) send(rogue, 'EVENT', stream, noted(stream, Buffer.alloc(MIB)));
  const isEventRefused = await heard(rogue, 'ERROR 60 ERR_OVERLOADED');
  const { eventsRefused } = channel.server.snapshot();
  const mib = Math.round(runningBytes / MIB);
  return stands(
    `${running} of 20 requests had ${mib} MiB, ${requestsRefused} refused, and ${eventsRefused} of 40 events`,
    {
      'a request too many was taken': !isRefused || runningBytes > 24 * MIB,
      'events waited without a bound': !isEventRefused || eventsRefused < 20,
      'the connection ended': channel.ended.length > 0,
      'others were not served': !(await channel.servesOthers()),
    },
  );
}

const SLOW_TEXTS: Readonly<Record<string, string>> = {
  'empty objects': `[${'{},'.repeat(2_600_000)}{}]`,
  'empty lists, with an escape': String.raw`["\u0061",${'[],'.repeat(2_600_000)}[]]`,
  'lists in lists': `${'['.repeat(1_500_000)}${']'.repeat(1_500_000)}`,
  numbers: `[${'1,'.repeat(3_900_000)}1]`,
};

/** As many values as fit. They are refused by a count: no time is taken, whatever the machine. */
async function sendManyValues() {
  const channel = await Channel.open();
  const rogue = await channel.insider();
  const taken: string[] = [];
  let stream = 0;
  for (const [name, text] of Object.entries(SLOW_TEXTS)) {
    stream += 1;
    send(rogue, 'REQUEST', stream, json('count', text));
    if (!(await heard(rogue, `ERROR ${stream} ERR_MESSAGE_TOO_COMPLEX`))) taken.push(name);
  }
  return stands(`${Object.keys(SLOW_TEXTS).join('; ')}: all refused by the number of their values`, {
    [`taken: ${taken.join()}`]: taken.length > 0,
    'a handler ran': channel.runs > 0,
    'the connection ended': channel.ended.length > 0,
    'others were not served': !(await channel.servesOthers()),
  });
}

const ALIASES = [
  '"admin.delete"',
  ' admin.delete',
  ' "admin.delete" ',
  String.raw`"\u0061dmin.delete"`,
  'admin.delete ',
];

/** A guard lets nobody delete, by the pattern that the context has. */
async function spellAnother() {
  const channel = await Channel.open();
  let deleted = 0;
  const remove = (_data: unknown, context: SealwireContext): Promise<string> => {
    if (context.getPattern() === 'admin.delete') return Promise.resolve('forbidden');
    deleted += 1;
    return Promise.resolve('deleted');
  };
  channel.server.addHandler('admin.delete', remove);
  channel.server.addHandler('{"cmd":"delete","v":1}', remove);
  const rogue = await channel.insider();
  const patterns = [...ALIASES, '{"v":1,"cmd":"delete"}', '{"cmd":"delete","v":1.0}', '{"v":2,"cmd":"delete","v":1}'];
  let stream = 0;
  for (const pattern of patterns) rogue.say(request((stream += 1), asked(pattern)));
  const isAnswered = await heard(rogue, ` ${stream}`);
  return stands(`${patterns.length} spellings, ${deleted} reached a handler`, {
    'a handler ran behind the back of its guard': deleted > 0,
    'a request was not answered': !isAnswered,
  });
}

const PLANTED = 'what another client sent';

/** Looks behind the bytes that a handler is given, of many sizes, while another client sends a secret. */
async function lookBehind() {
  const channel = await Channel.open();
  let found = 0;
  let shared = 0;
  const look = (bytes: Buffer): Promise<void> => {
    const behind = Buffer.from(bytes.buffer);
    if (behind.includes(PLANTED)) found += 1;
    if (behind.byteLength !== bytes.byteLength) shared += 1;
    return Promise.resolve();
  };
  channel.server.addHandler('look', look);
  const [victim, rogue] = [await channel.insider(), await channel.insider()];
  const SIZES = [0, 1, 24, 100, 1_000, 3_000, 5_000, 40_000, 300_000, 3_000_000];
  let stream = 0;
  for (const bytes of SIZES) {
    stream += 1;
    victim.say(request(stream, asked('count', Buffer.from(PLANTED))));
    send(rogue, 'REQUEST', stream, asked('look', Buffer.alloc(bytes)));
    await heard(rogue, ` ${stream}`);
  }
  return stands(`${stream} payloads, each in memory of its own`, {
    [`${found} times the text of another client lay behind it`]: found > 0,
    [`${shared} times it was part of more memory`]: shared > 0,
    'a payload was not handled': channel.handled.length < SIZES.length,
  });
}

const HOLDERS = 4;
const BEGUN_EACH = 8;
const PIECES = 20;

/** Large messages on several connections, a seventh of each: each connection stays within what it may begin. */
async function beginEverywhere() {
  const maxIncompleteBytesTotal = 16 * MIB;
  const channel = await Channel.open({ limits: { maxIncompleteBytesTotal } });
  const rogues = await Promise.all(Array.from({ length: HOLDERS }, () => channel.insider()));
  let mostBytes = 0;
  for (let piece = 0; piece < PIECES; piece++) {
    for (const rogue of rogues) {
      for (let stream = 1; stream <= BEGUN_EACH; stream++) {
        const bytes = Buffer.alloc(RECORD_BYTES);
        rogue.say(data(piece === 0 ? first('REQUEST', stream, 8 * MIB, bytes) : frame('REQUEST', stream, bytes, MORE)));
      }
      await eventually(() => false, 5);
      mostBytes = Math.max(mostBytes, channel.server.snapshot().incompleteBytes);
    }
  }
  const isRefused = await eventually(() => channel.server.snapshot().requestsRefused > 0);
  const { requestsRefused } = channel.server.snapshot();
  const areServed = await channel.servesOthers();
  for (const { socket } of rogues) socket.destroy();
  const isGivenBack = await eventually(() => channel.server.snapshot().incompleteBytes === 0);
  const mib = Math.round(mostBytes / MIB);
  return stands(`${requestsRefused} of ${HOLDERS * BEGUN_EACH} messages refused, ${mib} MiB held at most`, {
    'more memory was held than there may be': mostBytes > maxIncompleteBytesTotal,
    'nothing was held, so nothing is shown': mostBytes < MIB,
    'nothing was refused': !isRefused,
    'the connections ended': channel.ended.includes('ERR_INCOMPLETE_LIMIT'),
    'others were not served': !areServed,
    'memory was not given back': !isGivenBack,
  });
}

export const HELD_MESSAGES: readonly Attack[] = [
  { row: 58, name: 'makes a server keep messages', against: { S: fillMemory } },
  { row: 59, name: 'sends values beyond number', against: { S: sendManyValues } },
  { row: 60, name: 'spells a pattern in another way', against: { S: spellAnother } },
  { row: 61, name: 'looks behind its payload', against: { S: lookBehind } },
  { row: 64, name: 'begins messages on many connections', against: { S: beginEverywhere } },
];
