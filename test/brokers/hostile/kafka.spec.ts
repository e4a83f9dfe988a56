import { HOSTILE_KAFKA } from './kafka.js';
import { resistsRelay } from './relay-suite.js';
import { resists } from './suite.js';

resists(HOSTILE_KAFKA);
resistsRelay(HOSTILE_KAFKA);
