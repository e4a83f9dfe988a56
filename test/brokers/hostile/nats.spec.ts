import { HOSTILE_NATS } from './nats.js';
import { resistsRelay } from './relay-suite.js';
import { resists } from './suite.js';

resists(HOSTILE_NATS);
resistsRelay(HOSTILE_NATS);
