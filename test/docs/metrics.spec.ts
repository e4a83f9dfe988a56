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

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string }[];
}

describe('docs/grafana/sealwire.json', () => {
  const { panels } = JSON.parse(read('docs/grafana/sealwire.json')) as { readonly panels: readonly Panel[] };
  const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  const labelsOf = new Map(
    registered.map(({ name, type, labels }) => [name, type === 'histogram' ? ['le', ...labels] : labels]),
  );

  /** Prometheus adds an ending to the name of a histogram. */
  const metricOf = (series: string): string => series.replace(/_(?:bucket|sum|count)$/, '');
  const seriesOf = (expression: string): readonly string[] => expression.match(/sealwire_\w+/g) ?? [];

  it('shows every metric, and no metric that does not exist', () => {
    const shown = new Set(expressions.flatMap(seriesOf).map(metricOf));
    expect(shown).toEqual(new Set(registered.map(({ name }) => name)));
  });

  it.each(expressions)('uses labels that the metric has: %s', (expression) => {
    const known = new Set(seriesOf(expression).flatMap((series) => labelsOf.get(metricOf(series)) ?? []));
    for (const label of ['job', 'instance']) known.add(label); // Prometheus adds them
    const selected = [...expression.matchAll(/(\w+)(?:=~|!~|!=|=)"/g)].map(([, label = '']) => label);
    const grouped = [...expression.matchAll(/by \(([^)]*)\)/g)].flatMap(([, labels = '']) => labels.split(', '));
    expect(selected.length).toBeGreaterThan(0);
    expect([...selected, ...grouped].filter((label) => !known.has(label))).toEqual([]);
  });

  it('has panels that do not overlap, each with an id and a title of its own', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, index) => `${x + (index % w)}:${y + Math.floor(index / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
  });
});

describe('docker-compose.observability.yml', () => {
  it('mounts only files that exist', () => {
    const mounted = [...read('docker-compose.observability.yml').matchAll(/'\.\/([^:']+):/g)].map(
      ([, path = '']) => path,
    );
    expect(mounted).toContain('docs/grafana/sealwire.json');
    for (const path of mounted) expect(read(path)).not.toBe('');
  });
});
