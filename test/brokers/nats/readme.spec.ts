// The example of libs/brokers/README.md, with the address of a broker that runs and a key file that exists.
import { readFile, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { runInNewContext } from 'node:vm';

import { SealedNatsClient, SealedNatsServer } from '@sealwire/brokers';
import { createKeyFile } from '@sealwire/crypto';
import { lastValueFrom, retry } from 'rxjs';
import { afterEach, expect, it } from 'vitest';

import { Engine, isMissing, skipNote } from '../engines/engine.js';
import { NATS } from '../engines/nats.js';

const ends: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

async function example(): Promise<string> {
  const folder = dirname(createRequire(import.meta.url).resolve('@sealwire/brokers/package.json'));
  const [, code = ''] = /\n```ts\n(.*?)\n```\n/s.exec(await readFile(join(folder, 'README.md'), 'utf8')) ?? [];
  return code.replaceAll(/^import .*$/gm, '');
}

it.skipIf(isMissing(NATS))(`the example of the README answers a request${skipNote(NATS)}`, async () => {
  const engine = await Engine.start(NATS);
  ends.push(() => engine.stop());
  const folder = await mkdtemp(join(tmpdir(), 'sealwire-readme-'));
  ends.push(() => rm(folder, { recursive: true }));
  const keyFile = join(folder, 'aes_key.bin');
  await createKeyFile(keyFile);
  const code = (await example()).replace('aes_key.bin', keyFile).replace('nats://localhost:4222', engine.url);
  const { strategy, client } = runInNewContext(`${code}\n({ strategy, client });`, {
    SealedNatsClient,
    SealedNatsServer,
  }) as { readonly strategy: SealedNatsServer; readonly client: SealedNatsClient };
  ends.push(
    () => strategy.close(),
    () => client.close(),
  );
  strategy.addHandler('sum', (numbers: readonly number[]) => Promise.resolve(numbers.length), false);
  await new Promise((resolve) => void strategy.listen(resolve));
  const answer = client.send('sum', [1, 2, 3]).pipe(retry({ count: 50, delay: 100 }));
  expect(await lastValueFrom(answer)).toBe(3);
});
