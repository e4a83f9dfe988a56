import { SEALED_NATS, STOCK_NATS } from './nats.js';
import { conforms } from './suite.js';

conforms(STOCK_NATS);
conforms(SEALED_NATS);
