import { HOSTILE_REDIS } from './redis.js';
import { resists } from './suite.js';

resists(HOSTILE_REDIS);
