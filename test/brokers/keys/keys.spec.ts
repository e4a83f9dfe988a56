import { HOSTILE_MQTT } from '../hostile/mqtt.js';
import { HOSTILE_NATS } from '../hostile/nats.js';
import { HOSTILE_REDIS } from '../hostile/redis.js';
import { SEALED_RABBITMQ } from './sealed-broker.js';
import { holdsKeys } from './suite.js';

for (const broker of [HOSTILE_NATS, HOSTILE_REDIS, HOSTILE_MQTT, SEALED_RABBITMQ]) holdsKeys(broker);
