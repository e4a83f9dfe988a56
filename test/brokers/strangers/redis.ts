import { Redis } from 'ioredis';

import type { Stranger } from './stranger.js';

export function connectToRedis(url: string): Promise<Stranger> {
  const [reader, writer] = [new Redis(url), new Redis(url)];
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
