import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { filter, firstValueFrom } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';

import { createKeyFile } from '@sealwire/crypto';
import { SealwireClient } from '@sealwire/transport';
import { FixtureApp } from '../support/fixture-app.js';

/** The application waits up to 60 s for what does not end. */
const FAR_LESS_MS = 20_000;

async function start(kind: string) {
  const directory = await mkdtemp(join(tmpdir(), 'sealwire-drain-'));
  const keyFile = join(directory, 'aes_key.bin');
  await createKeyFile(keyFile);
  const app = new FixtureApp('draining-app.mjs', kind, keyFile);
  onTestFinished(async () => {
    await app.stop('SIGKILL');
    await rm(directory, { recursive: true });
  });
  const port = Number(await app.said('port '));
  return { app, connect: () => new SealwireClient({ port, keyFile }) };
}

describe.each(['pure', 'hybrid'])('drainFirst in a %s application', (kind) => {
  it('lets running handlers finish before any module is destroyed, on SIGTERM', async () => {
    const { app, connect } = await start(kind);
    const client = connect();
    const answer = firstValueFrom(client.send('hold', 1));
    await app.said('started 1');
    const draining = firstValueFrom(client.connectionEvents.pipe(filter(({ type }) => type === 'draining')));
    app.signal('SIGTERM');
    await draining;
    app.write('go 1');
    expect(await answer).toBe('done');
    await app.said('resource closed');
    expect(app.lines.slice(-2)).toEqual(['handled 1', 'resource closed']);
    await app.exit();
    await client.close();
  });

  it('ends after SIGTERM as soon as its slowest call is answered, with idle clients connected', async () => {
    const { app, connect } = await start(kind);
    const [client, idle] = [connect(), connect()];
    await idle.ping();
    const answers = [1, 2].map((call) => firstValueFrom(client.send('hold', call)));
    await Promise.all([app.said('started 1'), app.said('started 2')]);
    const draining = firstValueFrom(client.connectionEvents.pipe(filter(({ type }) => type === 'draining')));
    app.signal('SIGTERM');
    await draining;
    app.write('go 1');
    expect(await answers[0]).toBe('done');
    expect(app.lines).not.toContain('resource closed'); // the other call still runs
    app.write('go 2');
    const startMs = performance.now();
    expect(await answers[1]).toBe('done');
    const answeredMs = performance.now() - startMs;
    await app.exit();
    const exitedMs = performance.now() - startMs;
    expect([answeredMs, exitedMs].filter((ms) => ms > FAR_LESS_MS)).toEqual([]);
    await Promise.all([client.close(), idle.close()]);
  });
});
