import { expect, it } from 'vitest';

import { serverNames } from './server-names.js';
import { parseSettings } from './settings.js';

it.each([
  [{}, '127.0.0.1:8080'],
  [{ SEALWIRE_HOST: '::1', SEALWIRE_PORT: '9' }, '[::1]:9'],
  [{ SEALWIRE_SERVERS: 'server:9, [::1]:10' }, 'server:9,[::1]:10'],
  [{ SEALWIRE_PATH: '/tmp/s.sock' }, '/tmp/s.sock'],
  [{ SEALWIRE_BROKER: 'nats://one:4222, nats://two' }, 'nats://one:4222,nats://two'],
])('the log line of the start names the servers of %o', (env, names) => {
  expect(serverNames(parseSettings(env))).toBe(names);
});
