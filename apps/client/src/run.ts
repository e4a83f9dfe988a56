import { run } from '@sealwire/app';

import { startClient } from './start.js';

await run(startClient);
