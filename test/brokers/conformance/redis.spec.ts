import { SEALED_REDIS, SEALED_REDIS_WITH_WILDCARDS, STOCK_REDIS } from './redis.js';
import { conforms } from './suite.js';

conforms(STOCK_REDIS);
conforms(SEALED_REDIS);
conforms(SEALED_REDIS_WITH_WILDCARDS);
