import { NATS_LIBRARY } from '../engines/nats-library.js';
import type { Stranger } from './stranger.js';

export async function connectToNats(servers: string): Promise<Stranger> {
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
