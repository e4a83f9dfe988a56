import { ClientRedis, ServerRedis } from '@nestjs/microservices';
import { SealedRedisClient, SealedRedisServer } from '@sealwire/brokers';

import { Engine } from '../engines/engine.js';
import { REDIS } from '../engines/redis.js';
import { IS_NEST_11 } from './nest-version.js';
import { sealing } from './sealed.js';
import type { RunningTransport, TransportUnderTest } from './transport-under-test.js';

/** A pattern covers the answers of requests too, so it must be one of events. */
const WILDCARD = { pattern: 'conformance.orders.*', message: 'conformance.orders.created' };

export const STOCK_REDIS: TransportUnderTest = {
  name: "Nest's own Redis",
  kind: REDIS,
  connectsOnce: IS_NEST_11,
  wildcard: WILDCARD,
  async start() {
    const engine = await Engine.start(REDIS);
    const options = { host: '127.0.0.1', port: engine.port, wildcards: true };
    return {
      createServer: () => new ServerRedis(options),
      createClient: () => new ClientRedis(options),
      stop: () => engine.stop(),
    };
  },
};

export const SEALED_REDIS: TransportUnderTest = {
  name: 'Sealed Redis',
  kind: REDIS,
  start: () => startSealed({ wildcards: false }),
};

export const SEALED_REDIS_WITH_WILDCARDS: TransportUnderTest = {
  name: 'Sealed Redis with wildcards',
  kind: REDIS,
  wildcard: WILDCARD,
  start: () => startSealed({ wildcards: true }),
};

async function startSealed({ wildcards }: { wildcards: boolean }): Promise<RunningTransport> {
  const engine = await Engine.start(REDIS);
  const options = { host: '127.0.0.1', port: engine.port, wildcards, seal: sealing() };
  return {
    createServer: () => new SealedRedisServer(options),
    createClient: () => new SealedRedisClient(options),
    stop: () => engine.stop(),
  };
}
