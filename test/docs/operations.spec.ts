import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// docs/operations.md quotes the log in tables:   | `what is printed, with … for what differs` | means | what to do |
const MIN_CHARACTERS = 12;

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const [, chapter = ''] = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8').split('## The log');

const sources = ['libs/crypto', 'libs/channel', 'libs/transport', 'apps/shared', 'apps/server', 'apps/client']
  .flatMap((workspace) => {
    const names = readdirSync(join(ROOT, workspace, 'src'), { recursive: true, encoding: 'utf8' });
    return names.map((name) => join(ROOT, workspace, 'src', name));
  })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
  .map((file) => readFileSync(file, 'utf8'))
  .join('\n');

/** The words of a quoted line between what differs from one time to the other. */
function wordsOf(line: string): readonly string[] {
  const [, cell = ''] = line.split('|');
  const quotes = [...cell.matchAll(/`([^`]+)`/g)].map(([, quote = '']) => quote);
  const parts = quotes.flatMap((quote) => quote.split(/…|\(/)).map((part) => part.replace(/^[\s:,]+|[\s:,]+$/g, ''));
  return parts.filter((part) => part.length >= MIN_CHARACTERS && /^\S*[a-z]\S* /.test(part));
}

describe('docs/operations.md', () => {
  const words = chapter
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .flatMap(wordsOf);

  it.each(words)('quotes the log as it is printed: %s', (part) => {
    expect(sources).toContain(part);
  });

  it('has the lines about the keys of a client in the table of the client, and those of both sides in both', () => {
    const [server = '', client = ''] = chapter.split('### The client');
    const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
    const beginnings = (source: string): readonly string[] =>
      [...source.matchAll(/#(?:log|warn)\(\s*['`](\w[^'`$]{7,}) [$\w]/g)].map(([, beginning = '']) => beginning.trim());
    const ofBoth = beginnings(read('libs/crypto/src/key-watch/watched-key-file.ts'));
    const ofClients = beginnings(read('libs/channel/src/client/link-key.ts'));
    expect([ofBoth.length, ofClients.length]).toEqual([4, 1]);
    for (const line of ofBoth) expect(server).toContain(`\`${line}`);
    for (const line of [...ofBoth, ...ofClients]) expect(client).toContain(`\`${line.slice(0, 24).trim()}`);
  });

  it('explains every reason for a refusal that the server prints', () => {
    const advice = [...sources.matchAll(/^ {2}ERR_\w+: '(the client .*)',$/gm)].map(([, text]) => text);
    expect(advice).not.toEqual([]);
    expect(words).toEqual(expect.arrayContaining(advice));
  });
});
