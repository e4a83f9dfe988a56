import { launch } from './lib/launch.mjs';

launch(() => import('./lib/run-legacy-send.mjs'));
