import { describe, expect, it } from 'vitest';

import { reportFinding, reportProgress, reportSummary } from './report.js';
import { add, NOTHING } from './summary.js';
import type { Summary } from './summary.js';

const ONE: Summary = {
  ...NOTHING,
  seeds: 1,
  requests: 1_000,
  events: 2,
  outcomes: { done: 3 },
  faults: { cut: 1, stall: 2 },
  findings: [{ seed: 7, what: 'lost: event c0-1' }],
};

describe('the report', () => {
  it('names the seed of a finding and the command that repeats it', () => {
    expect(ONE.findings.flatMap(reportFinding)).toEqual([
      'FOUND by seed 7: lost: event c0-1',
      'again: npm run faults -- --seed 7',
    ]);
  });

  it('sums seeds, and counts by kind, the most frequent first', () => {
    const lines = reportSummary(add(ONE, { ...ONE, processSeeds: 1, faults: { reset: 9 }, outcomes: { threw: 1 } }));
    expect(lines).toContain('| 2 | 1 | 2,000 | 4 | 0 | 12 | 2 |');
    expect(lines).toContain('faults: reset 9, stall 2, cut 1');
    expect(lines).toContain('outcomes: done 3, threw 1');
    expect(lines).toContain('failed seeds: 7');
    expect(reportSummary(NOTHING).join()).not.toContain('failed');
  });

  it('shows the progress in one line', () => {
    expect(reportProgress(ONE, 50)).toBe('1 of 50 seeds, 1,002 calls, 3 faults, 1 findings');
  });
});
