import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

const MAX_LINES = 150;

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const readme = read('README.md');

/** The cells of the first two columns of a table of options, by option. */
function optionsOf(text: string): ReadonlyMap<string, string> {
  const rows = [...text.matchAll(/^\| (`[\w.]+`(?:, `[\w.]+`)*) +\| ([^|]+?) +\|/gm)];
  return new Map(rows.map(([, names = '', value = '']) => [names, value]));
}

describe('README.md', () => {
  it('is a front page of at most 150 lines', () => {
    expect(readme.trimEnd().split('\n').length).toBeLessThanOrEqual(MAX_LINES);
  });

  it('shows the picture of the demo with a text for it', () => {
    expect(readme).toMatch(/^!\[[^\]]{40,}\]\(docs\/images\/demo\.svg\)$/m);
  });

  it('adds only lines to the server that docs/first-app.md also has', () => {
    const app = read('docs/first-app.md');
    const [server = ''] = readme.match(/^```diff[^]*?^```$/m) ?? [];
    const added = [...server.matchAll(/^\+(.*)$/gm)].map(([, line = '']) => line);
    expect(added).toHaveLength(2);
    for (const line of added) expect(app).toContain(line);
  });

  it('names options that the page of the transport names', () => {
    const [, table = ''] = readme.split('\n## Options\n');
    const names = [...optionsOf(table).keys()].flatMap((cell) => cell.split(', '));
    expect(names.length).toBeGreaterThanOrEqual(8);
    const [, all = ''] = read('libs/transport/README.md').split('\n## Options\n');
    for (const name of names) expect(all).toContain(name.replace(/`\w+\./, '`'));
  });
});
