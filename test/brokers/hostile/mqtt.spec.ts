import { HOSTILE_MQTT } from './mqtt.js';
import { resists } from './suite.js';

resists(HOSTILE_MQTT);
