export { SealwireHealthIndicator } from './nest/health-indicator.js';
export type { PingCheckOptions } from './nest/health-indicator.js';
