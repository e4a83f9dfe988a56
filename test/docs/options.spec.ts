// The tables of limits in the sources are what the documents are held to: names, defaults, ranges and error codes.
import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { CHANNEL_PATHS } from '../../libs/channel/src/options/channel-options.js';
import type { Limit, LimitTable } from '../../libs/channel/src/options/limit-check.js';
import { KEY_LIMITS, LIMITS, REDIAL, TIMEOUTS } from '../../libs/channel/src/options/limit-tables.js';
import { pathsOf, resolveLimits } from '../../libs/channel/src/options/limits.js';
import { HANDLER_LIMITS } from '../../libs/transport/src/handler-limits.js';
import { OPTION_PATHS } from '../../libs/transport/src/options.js';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

/** By the name that the sources give the table: the group of its options, and its rows. */
const TABLES: Readonly<Record<string, readonly [group: string, LimitTable]>> = {
  LIMITS: ['limits.', LIMITS],
  HANDLER_LIMITS: ['limits.', HANDLER_LIMITS],
  KEY_LIMITS: ['limits.key.', KEY_LIMITS],
  TIMEOUTS: ['timeouts.', TIMEOUTS],
  REDIAL: ['redial.', REDIAL],
};
const TABLE: Readonly<Record<string, Limit>> = Object.fromEntries(
  Object.values(TABLES).flatMap(([group, table]) =>
    Object.entries(table).map(([name, limit]) => [group + name, limit]),
  ),
);
const NAMES = Object.keys(TABLE);
const OF_HANDLERS = pathsOf('limits', HANDLER_LIMITS);

/** The words for defaults that depend on others. */
const DERIVED: Readonly<Record<string, string>> = {
  'limits.maxIncompleteBytes': '64 MiB, or twice `maxMessageBytes` if that is more',
  'limits.maxIncompleteBytesTotal': 'a quarter of the V8 heap, or `maxIncompleteBytes` if that is more',
  'limits.maxQueuedBytes': '64 MiB, or twice `maxMessageBytes` if that is more',
  'limits.maxRunning': 'twice `maxInFlight`',
  'limits.maxRunningBytes': 'half of `maxRunningBytesTotal`',
  'limits.maxRunningBytesTotal': 'a quarter of the V8 heap',
  'timeouts.sessionSoftAgeMs': '1 h (server: 1 h 15 min)',
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

  it.each(['libs/channel/src/options/limit-tables.ts', 'libs/transport/src/handler-limits.ts'])(
    'has the default of every limit in its doc comment in %s',
    (path) => {
      const documented = [...read(path).matchAll(/^export const (\w+) = \{\n([^]*?)^\} as const satisfies/gm)].flatMap(
        ([, constant = '', rows = '']) => {
          const group = TABLES[constant]?.[0] ?? '';
          return [...rows.matchAll(/\/\*\*((?:(?!\*\/)[^])*)\*\/\n  (\w+): \{/g)].map(([, comment = '', name = '']) => {
            const text = comment.replaceAll(/\n? *\* ?|\n/g, ' ').replaceAll(/ +/g, ' ');
            expect(text, name).toMatch(new RegExp(`Default: ${literal(defaultOf(group + name))}[.;:]`));
            return group + name;
          });
        },
      );
      const isOfHandlers = path.includes('transport');
      expect(documented.sort()).toEqual(NAMES.filter((name) => OF_HANDLERS.includes(name) === isOfHandlers).sort());
    },
  );
});

describe('libs/transport/README.md, Options', () => {
  const [first = '', ...groups] = chapterOf('libs/transport/README.md', '## Options').split('\n### ');
  const grouped = groups.flatMap((text) => {
    const [, group = ''] = /^`([\w.]+)`/.exec(text) ?? [];
    return [...rowsOf(text)].map(([name, cells]) => [`${group}.${name}`, cells] as const);
  });
  const rows = new Map([...rowsOf(first), ...grouped]);

  it('names every option, and no other', () => {
    expect([...rows.keys(), 'limits.key'].sort()).toEqual([...OPTION_PATHS].sort());
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
    '| bytes under one traffic key ': ['limits.key.softBytes', 'limits.key.hardBytes'],
    '| records under one traffic key ': ['limits.key.softRecords', 'limits.key.hardRecords'],
    '| age of a traffic key ': ['limits.key.softAgeMs', 'limits.key.hardAgeMs'],
    '| age of a session ': ['timeouts.sessionSoftAgeMs', 'timeouts.sessionHardAgeMs'],
    '| size of a message ': ['limits.maxMessageBytes'],
    '| open streams of a connection ': ['limits.maxInFlight'],
    '| totals of incomplete messages ': ['limits.maxIncompleteBytes'],
    '| connect ': ['timeouts.connectMs'],
    '| handshake, from accept to CONFIRM ': ['timeouts.handshakeMs'],
    '| a record that is begun ': ['timeouts.recordMs'],
    '| a message without a new fragment ': ['timeouts.messageMs'],
    '| strangers ': ['limits.maxStrangers', 'limits.maxStrangersPerAddress'],
    '| connections of a server ': ['limits.maxConnections'],
    '| bytes sealed ': ['limits.maxSealedBytes'],
    '| a socket that takes nothing ': ['timeouts.writeMs'],
    '| bytes that wait to be sealed': ['limits.maxQueuedBytes'],
    '| PING ': ['timeouts.pingIntervalMs', 'timeouts.pongMs'],
    '| drain ': ['timeouts.drainMs'],
    '| CLOSE, until the answer ': ['timeouts.closeMs'],
    '- **Values of JSON.** ': ['limits.maxJsonNodes'],
  };
  /** They bound what one side does or holds, and the other does not notice them. */
  const LOCAL = [
    ...OF_HANDLERS.filter((name) => name !== 'limits.maxJsonNodes'),
    'limits.maxIncompleteBytesTotal',
    'limits.maxQueuedMessages',
    'timeouts.waitForConnectionMs',
    'timeouts.resolveMs',
    ...pathsOf('redial', REDIAL),
  ];

  it('has a place for every limit that is not local to one side', () => {
    expect([...Object.values(LINES).flat(), ...LOCAL].sort()).toEqual([...NAMES].sort());
  });

  it.each(Object.entries(LINES))('has the defaults of the sources in the line "%s"', (beginning, names) => {
    const [, line = ''] = chapter.split(`\n${beginning}`);
    const [text = ''] = line.split(/\n[|-]/);
    for (const side of ['client', 'server'] as const) {
      const { key, ...limits } = resolveLimits({}, side);
      const values: Readonly<Record<string, unknown>> = {
        ...limits,
        ...key,
        maxJsonNodes: HANDLER_LIMITS.maxJsonNodes.default,
      };
      for (const name of names) {
        const value = Number(values[name.slice(name.lastIndexOf('.') + 1)]);
        expect(text).toMatch(new RegExp(`(?<![\\d^])${literal(format(name, value))}(?!\\d)`));
      }
    }
  });
});

describe('libs/channel', () => {
  it('offers no option of handlers', () => {
    expect(CHANNEL_PATHS.filter((path) => OF_HANDLERS.includes(path))).toEqual([]);
  });
});
