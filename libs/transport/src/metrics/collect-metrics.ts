import { register as defaultRegister } from 'prom-client';
import type { Registry } from 'prom-client';

import { collectCalls } from './calls.js';
import { collectConnections } from './connections.js';
import { collectKeyFiles } from './key-files.js';
import { MetricSet } from './metric-set.js';
import { PatternLabels } from './pattern-labels.js';
import { collectRefusals } from './refusals.js';

/** The registry of the metrics, and the bound of their labels. */
export interface MetricsOptions {
  /** The registry that gets the metrics. Default: the global one of prom-client. */
  readonly register?: Registry;
  /**
   * The maximum number of values of the label `pattern`, separately for clients and servers; all further patterns
   * share `other`. Default: 100.
   */
  readonly maxPatterns?: number;
}

const MAX_PATTERNS = 100;

/**
 * Keeps metrics of all clients and servers of this process (docs/operations.md), from what they publish on
 * `node:diagnostics_channel`. Call it before they connect, because earlier connections and calls are not counted.
 *
 * @returns A function that ends the collection and removes the metrics from the registry.
 * @throws {Error} The error of prom-client if the registry already has a metric of the same name.
 */
export function collectMetrics({
  register = defaultRegister,
  maxPatterns = MAX_PATTERNS,
}: MetricsOptions = {}): () => void {
  const metrics = new MetricSet(register);
  try {
    collectConnections(metrics);
    collectCalls(metrics, { client: new PatternLabels(maxPatterns), server: new PatternLabels(maxPatterns) });
    collectRefusals(metrics);
    collectKeyFiles(metrics);
  } catch (error) {
    metrics.end();
    throw error;
  }
  return () => metrics.end();
}
