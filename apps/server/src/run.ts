import { run } from '@sealwire/app';

import { startServer } from './start.js';

await run(startServer);
