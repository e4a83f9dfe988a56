import { SEALED_KAFKA } from '../conformance/kafka.js';
import { SEALED_MQTT } from '../conformance/mqtt.js';
import { SEALED_NATS } from '../conformance/nats.js';
import { ON_RABBITMQ } from '../conformance/rabbitmq.js';
import { SEALED_REDIS, SEALED_REDIS_WITH_WILDCARDS } from '../conformance/redis.js';
import { isTraced } from './suite.js';

isTraced(SEALED_NATS, { system: 'nats' });
isTraced(SEALED_REDIS, { system: 'redis' });
isTraced(SEALED_REDIS_WITH_WILDCARDS, { system: 'redis' });
isTraced(SEALED_MQTT, { system: 'mqtt' });
isTraced(SEALED_KAFKA, { system: 'kafka' });
for (const transport of ON_RABBITMQ) {
  if (transport.name.startsWith('Sealed')) isTraced(transport, { system: 'rabbitmq', destination: 'conformance' });
}
