import { launch } from './lib/launch.mjs';

launch(() => import('./lib/run-new-handler.mjs'));
