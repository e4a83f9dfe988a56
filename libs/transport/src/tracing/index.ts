// Loads @opentelemetry/api, an optional peer dependency.
export { traceCalls } from './trace-calls.js';
export type { TracingOptions } from './trace-calls.js';
