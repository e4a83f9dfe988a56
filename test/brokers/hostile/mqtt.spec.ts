import { HOSTILE_MQTT } from './mqtt.js';
import { resistsRelay } from './relay-suite.js';
import { resists } from './suite.js';

resists(HOSTILE_MQTT);
resistsRelay(HOSTILE_MQTT);
