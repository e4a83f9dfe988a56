// A worker of the cluster of peers/scaled.ts. Its setting is in the environment, because a message that arrives before the
// module is loaded would be lost.

import { Logger } from '@nestjs/common';
import { measureUsage } from './measure.js';
import type { Setting } from './peer.js';
import { sealwire } from './peers/sealwire.js';

Logger.overrideLogger(false);
process.on('disconnect', () => process.exit());
process.on('message', () => process.send?.({ ok: measureUsage() })); // it is asked for nothing else
const setting: Setting = JSON.parse(process.env['BENCH_SETTING'] ?? '');
await sealwire.serve(setting);
