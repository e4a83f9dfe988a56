// The report of a client about a server whose process is killed.
import { join } from 'node:path';

import { lastValueFrom } from 'rxjs';
import { expect, it, onTestFinished } from 'vitest';

import { SealwireClient } from '@sealwire/transport';
import type { ClientConnectionEvent } from '@sealwire/transport';
import { AppProcesses } from '../../support/app-process.js';

it('connectionEvents emits the error of a killed server before the calls fail with it', async () => {
  const processes = new AppProcesses();
  onTestFinished(() => processes.end());
  const server = await processes.start('server');
  const port = Number((await server.ready())['channel']?.split(':')[1]);
  const client = new SealwireClient({ port, keyFile: join(await processes.directory(), 'aes_key.bin') });
  onTestFinished(() => client.close());
  const events: ClientConnectionEvent[] = [];
  const statuses: string[] = [];
  client.connectionEvents.subscribe((event) => events.push(event));
  client.status.subscribe((status) => statuses.push(status));
  const running = lastValueFrom(client.send('countdown', { from: 100, intervalMs: 1_000 }));
  const toldBefore = running.then(
    () => 'an answer',
    () => [...events],
  );
  await client.ping();
  await server.stop('SIGKILL');
  expect(await toldBefore).toEqual([
    { type: 'connecting', server: expect.any(String) as string },
    { type: 'connected', server: expect.any(String) as string },
    {
      type: 'disconnected',
      server: expect.any(String) as string,
      error: expect.objectContaining({
        code: expect.stringMatching(/^ERR_(CONNECTION_LOST|TRUNCATED)$/) as string,
      }) as Error,
    },
  ]);
  expect(statuses).toEqual(['connected', 'disconnected']);
});
