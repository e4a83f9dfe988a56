import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { expected, TARGETS } from '../attacks/attack.js';
import type { Target } from '../attacks/attack.js';
import { ATTACKS } from '../attacks/rows/index.js';

// docs/threat-model.md has a line for each attack:   | row | name | L | M | S | T |
const text = readFileSync(new URL('../../docs/threat-model.md', import.meta.url), 'utf8');
const lines = [...text.matchAll(/^\| +\d+ +\|.*\|$/gm)].map(([line]) =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim()),
);

describe('the table of attacks in docs/threat-model.md', () => {
  it('lists every attack of npm run attacks in order, with every expected outcome', () => {
    const targets = Object.keys(TARGETS) as Target[];
    const rows = ATTACKS.map((attack) =>
      [String(attack.row), attack.name].concat(
        targets.map((target) => (attack.against[target] === undefined ? '' : expected(attack, target).toLowerCase())),
      ),
    );
    expect(lines).toEqual(rows);
  });
});
