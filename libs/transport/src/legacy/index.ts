export { LegacyClient } from './nest/legacy-client.js';
export { LegacyContext } from './nest/legacy-context.js';
export type { LegacyOrigin } from './nest/legacy-context.js';
export type { LegacyOptions, LegacyServerOptions } from './nest/legacy-options.js';
export { LEGACY, LegacyServer } from './nest/legacy-server.js';
export type { LegacyMessage } from './wire/message.js';
