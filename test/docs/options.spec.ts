// The tables of limits in the sources are what the documents are held to: names, defaults, ranges and error codes.
import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { CHANNEL_OPTION_NAMES } from '../../libs/channel/src/options/channel-options.js';
import type { Limit } from '../../libs/channel/src/options/limit.js';
import { KEY_LIMITS, LIMITS, REDIAL, resolveLimits, TIMEOUTS } from '../../libs/channel/src/options/limits.js';
import { HANDLER_LIMITS } from '../../libs/transport/src/limits.js';
import { OPTION_NAMES } from '../../libs/transport/src/options.js';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

const KEYS = Object.fromEntries(Object.entries(KEY_LIMITS).map(([name, limit]) => [`key.${name}`, limit]));
const TABLE: Readonly<Record<string, Limit>> = { ...LIMITS, ...TIMEOUTS, ...REDIAL, ...KEYS, ...HANDLER_LIMITS };
const NAMES = Object.keys(TABLE);

/** The words for defaults that depend on others. */
const DERIVED: Readonly<Record<string, string>> = {
  maxIncompleteBytes: '64 MiB, or twice `maxMessageBytes` if that is more',
  maxIncompleteBytesTotal: 'a quarter of the heap of V8, or `maxIncompleteBytes` if that is more',
  maxQueuedBytes: '64 MiB, or twice `maxMessageBytes` if that is more',
  maxRunning: 'twice `maxInFlight`',
  maxRunningBytes: 'half of `maxRunningBytesTotal`',
  maxRunningBytesTotal: 'a quarter of the heap of V8',
  sessionSoftAgeMs: '1 h (server: 1 h 15 min)',
};

/** As the documents write a number: with the unit that the name of the option ends with. */
function format(name: string, value: number): string {
  if (value === 0) return '0';
  if (name.endsWith('Ms')) return formatMs(value);
  if (/Bytes/.test(name)) return formatBytes(value);
  if (value >= 2 ** 20 && Number.isInteger(Math.log2(value))) return `2^${Math.log2(value)}`;
  return value < 1_000_000 ? String(value) : value.toLocaleString('en-US');
}

function formatMs(ms: number): string {
  if (ms < 1_000) return `${ms} ms`;
  if (ms < 3_600_000) return `${ms / 1_000} s`;
  const minutes = (ms / 60_000) % 60;
  return minutes === 0 ? `${ms / 3_600_000} h` : `${Math.floor(ms / 3_600_000)} h ${minutes} min`;
}

function formatBytes(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB'];
  const power = [3, 2, 1].find((exponent) => bytes % 1_024 ** exponent === 0) ?? 0;
  return `${bytes / 1_024 ** power} ${units[power]}`;
}

function defaultOf(name: string): string {
  const value = TABLE[name]?.default;
  return typeof value === 'number' ? format(name, value) : (DERIVED[name] ?? 'a default without words');
}

function rangeOf(name: string): string {
  const { least, greatest } = TABLE[name] ?? {};
  const from =
    typeof least === 'number' ? (name.endsWith('Ms') ? String(least) : format(name, least)) : '`maxMessageBytes`';
  const top = [2 ** 31, 2 ** 32, 2 ** 53].find((power) => power - 1 === greatest);
  return `${from.replace(/ bytes$/, '')} to ${top === undefined ? format(name, greatest ?? 0) : `2^${Math.log2(top)} - 1`}`;
}

/** Matches `text` in a regular expression. */
function literal(text: string): string {
  return text.replaceAll(/[.()^]/g, String.raw`\$&`);
}

/** The cells of the rows that begin with the name of an option. */
function rowsOf(markdown: string): ReadonlyMap<string, readonly string[]> {
  const rows = markdown.split('\n').filter((line) => line.startsWith('| `'));
  return new Map(
    rows.flatMap((row) => {
      const [names = '', ...cells] = row.split('|').slice(1, -1);
      const trimmed = cells.map((cell) => cell.trim());
      return [...names.matchAll(/`([\w.]+)`/g)].map(([, name = '']) => [name, trimmed] as const);
    }),
  );
}

function chapterOf(path: string, heading: string): string {
  const [, chapter = ''] = read(path).split(`\n${heading}\n`);
  return chapter.split('\n## ')[0] ?? '';
}

describe('the table of limits', () => {
  it('has words for every default that depends on others', () => {
    const derived = NAMES.filter((name) => typeof TABLE[name]?.default === 'function');
    expect(Object.keys(DERIVED).sort()).toEqual(derived.sort());
  });

  it.each(['libs/channel/src/options/limits.ts', 'libs/transport/src/limits.ts'])(
    'has the default of every limit in its doc comment in %s',
    (path) => {
      const group = /\/\*\*([^/]*(?:\/(?!\n)[^/]*)*)\*\/\n  (\w+): \{/g;
      const documented = [...read(path).matchAll(group)].map(([, comment = '', name = '']) => {
        const text = comment.replaceAll(/\n? *\* ?|\n/g, ' ').replaceAll(/ +/g, ' ');
        const known = name in TABLE ? name : `key.${name}`;
        expect(text, name).toMatch(new RegExp(`Default ${literal(defaultOf(known))}[.;:]`));
        return known;
      });
      const isOfHandlers = path.includes('transport');
      expect(documented.sort()).toEqual(NAMES.filter((name) => name in HANDLER_LIMITS === isOfHandlers).sort());
    },
  );
});

describe('libs/transport/README.md, Options', () => {
  const rows = rowsOf(chapterOf('libs/transport/README.md', '## Options'));

  it('names every option, and no other', () => {
    const keyless = OPTION_NAMES.filter((name) => name !== 'key');
    expect([...rows.keys()].sort()).toEqual([...new Set([...keyless, ...Object.keys(KEYS)])].sort());
  });

  it.each(NAMES)('has the default, the range and the error code of %s', (name) => {
    const [fallback, range, code] = rows.get(name) ?? [];
    const { code: thrown } = TABLE[name] ?? {};
    const expected = {
      fallback: defaultOf(name),
      range: rangeOf(name),
      code: thrown === undefined ? '-' : `\`${thrown}\``,
    };
    expect({ fallback, range, code }).toEqual(expected);
  });
});

describe('README.md, Options', () => {
  const rows = rowsOf(chapterOf('README.md', '## Options'));

  it('has the defaults of the limits that it names', () => {
    const limits = [...rows].filter(([name]) => name in TABLE);
    expect(limits.map(([name, [fallback]]) => [name, fallback])).toEqual(
      limits.map(([name]) => [name, defaultOf(name)]),
    );
    expect(limits.length).toBeGreaterThanOrEqual(2);
  });
});

describe('docs/errors.md', () => {
  it.each(NAMES.filter((name) => TABLE[name]?.code !== undefined))(
    'names %s at the error of what exceeds it',
    (name) => {
      const row = rowsOf(read('docs/errors.md')).get(TABLE[name]?.code ?? '');
      expect(row?.join(' ')).toContain(`\`${name}\``);
    },
  );
});

describe('docs/protocol.md, §7', () => {
  const chapter = chapterOf('docs/protocol.md', '## 7. Limits');

  /** By the beginning of the line that has the default. */
  const LINES: Readonly<Record<string, readonly string[]>> = {
    '| bytes under one traffic key ': ['key.softBytes', 'key.hardBytes'],
    '| records under one traffic key ': ['key.softRecords', 'key.hardRecords'],
    '| age of a traffic key ': ['key.softAgeMs', 'key.hardAgeMs'],
    '| age of a session ': ['sessionSoftAgeMs', 'sessionHardAgeMs'],
    '| size of a message ': ['maxMessageBytes'],
    '| open streams of a connection ': ['maxInFlight'],
    '| totals of incomplete messages ': ['maxIncompleteBytes'],
    '| connect ': ['connectTimeoutMs'],
    '| handshake, from accept to CONFIRM ': ['handshakeTimeoutMs'],
    '| a record that is begun ': ['recordTimeoutMs'],
    '| a message without a new fragment ': ['messageTimeoutMs'],
    '| strangers ': ['maxStrangers', 'maxStrangersPerAddress'],
    '| connections of a server ': ['maxConnections'],
    '| bytes sealed ': ['maxSealedBytes'],
    '| a socket that takes nothing ': ['writeTimeoutMs'],
    '| bytes that wait to be sealed': ['maxQueuedBytes'],
    '| PING ': ['pingIntervalMs', 'pongTimeoutMs'],
    '| drain ': ['drainTimeoutMs'],
    '| CLOSE, until the answer ': ['closeTimeoutMs'],
    '- **Values of JSON.** ': ['maxJsonNodes'],
  };
  /** They bound what one side does or holds, and the other does not notice them. */
  const LOCAL = [
    ...Object.keys(HANDLER_LIMITS).filter((name) => name !== 'maxJsonNodes'),
    'maxIncompleteBytesTotal',
    'maxQueuedMessages',
    'waitForConnectionMs',
    ...Object.keys(REDIAL),
  ];

  it('has a place for every limit that is not local to one side', () => {
    expect([...Object.values(LINES).flat(), ...LOCAL].sort()).toEqual([...NAMES].sort());
  });

  it.each(Object.entries(LINES))('has the defaults of the sources in the line "%s"', (beginning, names) => {
    const [, line = ''] = chapter.split(`\n${beginning}`);
    const [text = ''] = line.split(/\n[|-]/);
    for (const side of ['client', 'server'] as const) {
      const { key, ...limits } = resolveLimits({}, side);
      const keys = Object.entries(key).map(([name, limit]) => [`key.${name}`, limit] as const);
      const values = new Map<string, number>([
        ...Object.entries(limits),
        ...keys,
        ['maxJsonNodes', HANDLER_LIMITS.maxJsonNodes.default],
      ]);
      for (const name of names) {
        expect(text).toMatch(new RegExp(`(?<![\\d^])${literal(format(name, values.get(name) ?? NaN))}(?!\\d)`));
      }
    }
  });
});

describe('libs/channel', () => {
  it('offers no option of handlers', () => {
    expect(CHANNEL_OPTION_NAMES.filter((name) => name in HANDLER_LIMITS)).toEqual([]);
  });
});
