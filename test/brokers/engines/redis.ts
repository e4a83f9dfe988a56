import type { EngineKind } from './engine.js';

export const REDIS: EngineKind = {
  scheme: 'redis',
  program: 'redis-server',
  aptPackage: 'redis-server',
  command: (port, directory) => ({
    program: 'redis-server',
    args: ['--bind', '127.0.0.1', '--port', String(port), '--dir', directory, '--appendonly', 'yes', '--save', ''],
  }),
  hello: Buffer.from('PING\r\n'),
  answer: Buffer.from('+PONG'),
};
