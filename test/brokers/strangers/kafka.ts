import { KafkaHeaders } from '@nestjs/microservices';
import { Kafka, logLevel } from 'kafkajs';

import type { SeenMessage, Stranger } from './stranger.js';

/** One partition: a message on which a server stays would keep back all that come after it. */
export const ONE_PARTITION = { createPartitioner: () => () => 0 };

export function answersTo({ name }: Pick<SeenMessage, 'name'>): string {
  return `${name}.reply`;
}

/**
 * Connects a stranger to Kafka.
 *
 * @param address - Of the broker: `host:port`.
 * @param topics - Those that it watches.
 */
export async function connectToKafka(address: string, topics: readonly string[]): Promise<Stranger> {
  const kafka = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING });
  const consumer = kafka.consumer({ groupId: 'stranger', maxWaitTimeInMs: 20 });
  const producer = kafka.producer(ONE_PARTITION);
  await Promise.all([consumer.connect(), producer.connect()]);
  return {
    async watch(see) {
      await consumer.subscribe({ topics: [...topics], fromBeginning: true });
      await consumer.run({
        eachMessage({ topic, message: { value, headers = {} } }) {
          const beside = Object.entries(headers).map(([name, text]) => `${name}: ${String(text)}`);
          see({ name: topic, data: value ?? Buffer.alloc(0), beside: beside.join('\n') });
          return Promise.resolve();
        },
      });
    },
    async publish({ name, data }) {
      // As Nest has them in a request and in an answer.
      const headers = {
        [KafkaHeaders.CORRELATION_ID]: '1',
        [KafkaHeaders.REPLY_TOPIC]: answersTo({ name }),
        [KafkaHeaders.REPLY_PARTITION]: '0',
        [KafkaHeaders.NEST_IS_DISPOSED]: '',
      };
      await producer.send({ topic: name, messages: [{ value: Buffer.from(data), headers }] });
    },
    async close() {
      await consumer.disconnect();
      await producer.disconnect();
    },
  };
}
