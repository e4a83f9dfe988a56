import { createRequire } from 'node:module';

const { version } = createRequire(import.meta.url)('@nestjs/common/package.json') as { version: string };

/** Its clients of Redis and MQTT get no answers after they were closed and connect again. */
export const IS_NEST_11 = version.startsWith('11.');
