import { Redis } from 'ioredis';

import { REDIS } from '../engines/redis.js';
import type { OpenBroker, Stranger } from './stranger.js';

export const OPEN_REDIS: OpenBroker = {
  name: 'redis',
  kind: REDIS,
  connect,
  answersTo: ({ name }) => `${name}.reply`,
};

function connect(url: string): Promise<Stranger> {
  // Its check whether the broker is ready could come after the first subscription, and then fails.
  const [reader, writer] = [new Redis(url, { enableReadyCheck: false }), new Redis(url)];
  return Promise.resolve({
    async watch(see) {
      reader.on('pmessageBuffer', (_, channel: Buffer | string, data: Buffer) =>
        see({ name: channel.toString(), data }),
      );
      await reader.psubscribe('*');
    },
    async publish({ name, data }) {
      await writer.publish(name, Buffer.from(data));
    },
    async close() {
      await Promise.all([reader.quit(), writer.quit()]);
    },
  });
}
