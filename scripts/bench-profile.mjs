import { launch } from './lib/launch.mjs';

launch(() => import('./lib/run-bench.mjs').then(({ commandOf }) => ({ command: commandOf('profile.js') })));
