export { LegacyRawClient } from './nest/legacy-raw-client.js';
export { LegacyRawContext } from './nest/legacy-context.js';
export type { LegacyOrigin } from './nest/legacy-context.js';
export type { LegacyRawOptions, LegacyRawServerOptions } from './nest/legacy-options.js';
export { LEGACY_RAW, LegacyRawServer } from './nest/legacy-raw-server.js';
export type { LegacyMessage } from './wire/message.js';
