import { ON_RABBITMQ } from './rabbitmq.js';
import { conforms } from './suite.js';

for (const transport of ON_RABBITMQ) conforms(transport);
