export { SealwireHealthIndicator } from './client/health-indicator.js';
export type { PingCheckOptions } from './client/health-indicator.js';
