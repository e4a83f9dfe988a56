// The parts that both apps share. This module loads Nest; ./settings has the parts that are needed before.
export { boundAddress, createApp, keysOf, listenHttp, logReady } from './app.js';
export { Metrics, METRICS_TYPE } from './metrics-registry.js';
export { printable } from './printable.js';
export { run } from './run.js';
export { explainStartFailure, listenFailed, shownAddress } from './start-failure.js';
export type { ListenerVariables } from './start-failure.js';
