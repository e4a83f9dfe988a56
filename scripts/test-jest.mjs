import { launch } from './lib/launch.mjs';

launch(() => import('./lib/run-jest.mjs'));
