import { HOSTILE_REDIS } from './redis.js';
import { resistsRelay } from './relay-suite.js';
import { resists } from './suite.js';

resists(HOSTILE_REDIS);
resistsRelay(HOSTILE_REDIS);
