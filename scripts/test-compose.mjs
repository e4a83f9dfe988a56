import { launch } from './lib/launch.mjs';

launch(() => import('./lib/run-compose-test.mjs'));
