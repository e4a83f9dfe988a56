import { connect as connectToBroker } from 'amqplib';

import { RABBITMQ } from '../engines/rabbitmq.js';
import type { OpenBroker, Stranger } from './stranger.js';

/** The queue of the server. With the option `wildcards` its exchange has the same name, and the patterns are routing keys. */
export const VICTIM_QUEUE = 'victim';

export const OPEN_RABBITMQ: OpenBroker = {
  name: 'rabbitmq',
  kind: RABBITMQ,
  connect,
  answersTo: ({ reply = '' }) => reply,
};

async function connect(url: string): Promise<Stranger> {
  const connection = await connectToBroker(url);
  const channel = await connection.createConfirmChannel();
  await channel.assertExchange(VICTIM_QUEUE, 'topic');
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(queue, VICTIM_QUEUE, '#');
  /** Those of the requests: a client takes an answer under no other. */
  const correlationIds = new Set<string>();
  return {
    async watch(see) {
      await channel.consume(
        queue,
        (message) => {
          if (message === null) return;
          const { correlationId, replyTo, headers } = message.properties;
          correlationIds.add(String(correlationId));
          see({
            name: message.fields.routingKey,
            data: message.content,
            reply: typeof replyTo === 'string' ? replyTo : undefined,
            beside: JSON.stringify(headers),
          });
        },
        { noAck: true },
      );
    },
    async publish({ name, data, reply }) {
      const content = Buffer.from(data);
      if (name.startsWith(`${VICTIM_QUEUE}.`)) {
        const [correlationId = ''] = [...correlationIds].slice(-1);
        channel.publish(VICTIM_QUEUE, name, content, {
          correlationId,
          ...(reply === undefined ? {} : { replyTo: reply }),
        });
      } else {
        for (const correlationId of correlationIds) channel.sendToQueue(name, content, { correlationId });
      }
      await channel.waitForConfirms();
    },
    close: () => connection.close(),
  };
}
