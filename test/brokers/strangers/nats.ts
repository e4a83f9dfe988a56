import { NATS } from '../engines/nats.js';
import { NATS_LIBRARY } from '../engines/nats-library.js';
import type { OpenBroker, Stranger } from './stranger.js';

export const OPEN_NATS: OpenBroker = {
  name: 'nats',
  kind: NATS,
  connect,
  answersTo: ({ reply = '' }) => reply,
};

async function connect(servers: string): Promise<Stranger> {
  const connection = await NATS_LIBRARY.connect({ servers, noEcho: true });
  return {
    async watch(see) {
      connection.subscribe('>', {
        callback: (_, { subject, data, reply, headers }) =>
          see({ name: subject, data, reply, beside: JSON.stringify([...(headers ?? [])]) }),
      });
      await connection.flush();
    },
    async publish({ name, data, reply }) {
      connection.publish(name, data, reply === undefined || reply === '' ? {} : { reply });
      await connection.flush();
    },
    close: () => connection.close(),
  };
}
