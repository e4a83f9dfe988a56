import { join } from 'node:path';

import type { EngineKind } from './engine.js';

export const NATS: EngineKind = {
  scheme: 'nats',
  program: 'nats-server',
  aptPackage: 'nats-server',
  command: (port, directory) => ({
    program: 'nats-server',
    args: ['--addr', '127.0.0.1', '--port', String(port), '--jetstream', '--store_dir', join(directory, 'store')],
  }),
  answer: Buffer.from('INFO '),
};
