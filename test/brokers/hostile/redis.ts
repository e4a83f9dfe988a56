import { SealedRedisClient, SealedRedisServer } from '@sealwire/brokers';

import { Engine } from '../engines/engine.js';
import { REDIS } from '../engines/redis.js';
import { OPEN_REDIS } from '../strangers/redis.js';
import type { HostileBroker } from './hostile-broker.js';

export const HOSTILE_REDIS: HostileBroker = {
  name: 'Sealed Redis',
  kind: REDIS,
  async start() {
    const engine = await Engine.start(REDIS);
    const address = { host: '127.0.0.1', port: engine.port };
    return {
      createServer: (seal) => new SealedRedisServer({ ...address, seal }),
      createClient: (seal) => new SealedRedisClient({ ...address, seal }),
      answersTo: OPEN_REDIS.answersTo,
      record: (data) => data, // without headers
      stranger: () => OPEN_REDIS.connect(engine.url),
      stop: () => engine.stop(),
    };
  },
};
