import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { filter, firstValueFrom } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';

import { createKeyFile } from '@sealwire/crypto';
import { SealwireClient } from '@sealwire/transport';

const APP = fileURLToPath(new URL('fixtures/draining-app.mjs', import.meta.url));

async function start(kind: string) {
  const directory = await mkdtemp(join(tmpdir(), 'sealwire-drain-'));
  const keyFile = join(directory, 'aes_key.bin');
  await createKeyFile(keyFile);
  const app = spawn(process.execPath, [APP, kind, keyFile], { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(async () => {
    app.kill('SIGKILL');
    await rm(directory, { recursive: true });
  });
  const lines: string[] = [];
  const reader = createInterface({ input: app.stdout }).on('line', (line) => lines.push(line));
  const said = async (start_: string): Promise<string> => {
    for (;;) {
      const line = lines.find((each) => each.startsWith(start_));
      if (line !== undefined) return line;
      await once(reader, 'line');
    }
  };
  const port = Number((await said('port ')).slice('port '.length));
  return { app, lines, said, client: new SealwireClient({ port, keyFile }) };
}

describe.each(['pure', 'hybrid'])('drainFirst in a %s application', (kind) => {
  it('lets running handlers finish before any module is destroyed, on SIGTERM', async () => {
    const { app, lines, said, client } = await start(kind);
    const exited = once(app, 'exit');
    const answer = firstValueFrom(client.send('hold', 0));
    await said('started');
    const draining = firstValueFrom(client.connectionEvents.pipe(filter(({ type }) => type === 'draining')));
    app.kill('SIGTERM');
    await draining;
    app.stdin.write('go\n');
    expect(await answer).toBe('done');
    await said('resource closed');
    expect(lines.slice(-2)).toEqual(['handled', 'resource closed']);
    await exited;
    await client.close();
  });
});
