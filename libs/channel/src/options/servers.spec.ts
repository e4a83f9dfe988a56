import { expect, it } from 'vitest';

import type { ServerOption } from './channel-options.js';
import { resolveServers } from './servers.js';

it('a list of servers with holes is refused with the place of the first one', () => {
  const servers: ServerOption[] = [{ host: '10.0.0.1' }];
  servers.length = 3;
  const resolve = (): unknown => resolveServers({ servers, keyFile: 'aes_key.bin' });
  expect(resolve).toThrow(expect.objectContaining({ code: 'ERR_BAD_OPTION' }) as Error);
  expect(resolve).toThrow('servers[1]');
});
