export type { BrokerCallMessage } from './call-trace.js';
export type { RefusedMessage } from './diagnostics.js';
export { BROKER_ERROR_CODES, BrokerError } from './errors.js';
export type { BrokerErrorCode } from './errors.js';
export type { SealedContext, SealedPeer } from './handler/sealed-context.js';
export type { SealedClientConnection } from './nats/client-connection.js';
export type { KafkaMessage, KafkaProducer, KafkaTopicMessages } from './kafka/kafka-library.js';
export { SealedKafkaClient } from './kafka/sealed-kafka-client.js';
export { SealedKafkaServer } from './kafka/sealed-kafka-server.js';
export type { SealedKafkaContext, SealedKafkaOptions } from './kafka/sealed-kafka-server.js';
export type { SealedKafka, SealedProducer } from './kafka/sealed-producer.js';
export { SealedMqttClient } from './mqtt/sealed-mqtt-client.js';
export { SealedMqttServer } from './mqtt/sealed-mqtt-server.js';
export type { SealedMqttContext, SealedMqttOptions } from './mqtt/sealed-mqtt-server.js';
export type {
  NatsCallback,
  NatsConnection,
  NatsHeaders,
  NatsMessage,
  NatsPublishOptions,
  NatsSubscription,
} from './nats/nats-library.js';
export { SealedNatsClient } from './nats/sealed-nats-client.js';
export { SealedNatsServer } from './nats/sealed-nats-server.js';
export type { SealedNatsContext, SealedNatsOptions } from './nats/sealed-nats-server.js';
export type { SealedServerConnection } from './nats/server-connection.js';
export type { SealedRmqClientConnection } from './rabbitmq/client-connection.js';
export { SealedRmqClient } from './rabbitmq/sealed-rmq-client.js';
export { SealedRmqServer } from './rabbitmq/sealed-rmq-server.js';
export type { SealedRmqContext, SealedRmqOptions } from './rabbitmq/sealed-rmq-server.js';
export type { SealedRmqServerConnection } from './rabbitmq/server-connection.js';
export { SealedRedisClient } from './redis/sealed-redis-client.js';
export { SealedRedisServer } from './redis/sealed-redis-server.js';
export type { SealedRedisContext, SealedRedisOptions } from './redis/sealed-redis-server.js';
export type { RefusalReason } from './seal/refusals.js';
export type { SealOptions } from './seal/seal-options.js';
