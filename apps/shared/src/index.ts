// What both apps are made of. It loads Nest: what is needed before that is in ./settings.
export { boundAddress, createApp, keyringOf, listenHttp, logReady } from './app.js';
export { printable } from './printable.js';
export { run } from './run.js';
export { explainStartFailure, listenFailed, shownAddress } from './start-failure.js';
export type { ListenerVariables } from './start-failure.js';
