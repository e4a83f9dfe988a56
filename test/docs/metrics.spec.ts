// The metrics in the documents are those that the sources register.
import { readFileSync } from 'node:fs';

import { collectMetrics } from '@sealwire/transport/metrics';
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

interface Metric {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
}

async function readRegistered(): Promise<readonly Metric[]> {
  const register = new Registry();
  const stop = collectMetrics({ register });
  const metrics = (await register.getMetricsAsJSON()).map(({ name, type }) => {
    const { labelNames: labels } = register.getSingleMetric(name) as unknown as {
      readonly labelNames: readonly string[];
    };
    return { name, type: String(type), labels };
  });
  stop();
  return metrics;
}

const registered = await readRegistered();

describe('docs/operations.md', () => {
  it('lists every metric with its type and its labels', () => {
    const rows = read('docs/operations.md').matchAll(/^\| `(sealwire_\w+)` +\| (\w+) +\|([^|]*)\|/gm);
    const listed = [...rows].map(([, name = '', type = '', cell = '']) => {
      const labels = [...cell.matchAll(/`(\w+)`/g)].map(([, label = '']) => label);
      return { name, type, labels } satisfies Metric;
    });
    const inOrder = (metrics: readonly Metric[]) => metrics.toSorted((a, b) => a.name.localeCompare(b.name));
    expect(listed.length).toBeGreaterThan(10);
    expect(inOrder(listed)).toEqual(inOrder(registered));
  });
});
