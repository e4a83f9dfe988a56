import { launch } from './lib/launch.mjs';

launch(() => import('./lib/run-nest11.mjs'));
