// Loads prom-client, an optional peer dependency.
export { collectMetrics } from './collect-metrics.js';
export type { MetricsOptions } from './collect-metrics.js';
