import { SEALED_KAFKA, STOCK_KAFKA } from './kafka.js';
import { conforms } from './suite.js';

conforms(STOCK_KAFKA);
conforms(SEALED_KAFKA);
