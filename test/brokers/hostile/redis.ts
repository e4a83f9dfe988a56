import { SealedRedisClient, SealedRedisServer } from '@sealwire/brokers';
import { Redis } from 'ioredis';

import { Engine } from '../engines/engine.js';
import { REDIS } from '../engines/redis.js';
import type { HostileBroker, SeenMessage, Stranger } from './hostile-broker.js';

export const HOSTILE_REDIS: HostileBroker = {
  name: 'Sealed Redis',
  kind: REDIS,
  async start() {
    const engine = await Engine.start(REDIS);
    const address = { host: '127.0.0.1', port: engine.port };
    return {
      createServer: (seal) => new SealedRedisServer({ ...address, seal }),
      createClient: (seal) => new SealedRedisClient({ ...address, seal }),
      answersTo: (pattern) => `${pattern}.reply`,
      record: (data) => data, // without headers
      stranger: () => connect(address),
      stop: () => engine.stop(),
    };
  },
};

async function connect(address: { host: string; port: number }): Promise<Stranger> {
  const [reader, writer] = [new Redis(address), new Redis(address)];
  const seen: SeenMessage[] = [];
  reader.on('pmessageBuffer', (_, channel: Buffer | string, data: Buffer) => {
    seen.push({ name: channel.toString(), data });
  });
  await reader.psubscribe('*');
  return {
    seen,
    async publish(name, data) {
      await writer.publish(name, Buffer.from(data));
    },
    async close() {
      await Promise.all([reader.quit(), writer.quit()]);
    },
  };
}
