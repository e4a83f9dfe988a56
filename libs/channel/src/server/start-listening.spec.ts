import { createServer } from 'node:net';

import { expect, it } from 'vitest';

import { startListening } from './start-listening.js';

it.runIf(process.platform === 'linux')('does not listen on a socket that it cannot restrict to its owner', async () => {
  const server = createServer();
  const path = `\0sealwire-${process.pid}`; // an abstract name is no file, and has no mode
  await expect(startListening(server, { path })).rejects.toMatchObject({ code: 'ERR_LISTEN_FAILED' });
  expect(server.listening).toBe(false);
});
