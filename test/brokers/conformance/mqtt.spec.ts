import { SEALED_MQTT, STOCK_MQTT } from './mqtt.js';
import { conforms } from './suite.js';

conforms(STOCK_MQTT);
conforms(SEALED_MQTT);
