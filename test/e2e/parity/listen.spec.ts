// Every reason not to listen rejects `app.listen()`; with Nest's own transport most of them never settle.
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { MessagePattern } from '@nestjs/microservices';
import { Controller } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { SealwireServer } from '@sealwire/transport';
import type { SealwireServerOptions } from '@sealwire/transport';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';

import { newServer, outcome, rootModule, startApplication } from '../../support/application.js';
import { endAll, keyring, newClient, portOf } from '../../support/pair.js';

afterEach(() => endAll());

@Controller()
class EchoController {
  @MessagePattern('echo')
  echo(): string {
    return 'here';
  }
}

const causedBy = (code: string | RegExp) => ({
  code: 'ERR_LISTEN_FAILED',
  fault: 'caller',
  cause: { code: typeof code === 'string' ? code : (expect.stringMatching(code) as string) },
});

async function closedDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sealwire-listen-'));
  await chmod(directory, 0o500);
  onTestFinished(() => rm(directory, { recursive: true }));
  return directory;
}

describe('app.listen()', () => {
  it('rejects for a port in use', async () => {
    const { server } = await startApplication({});
    await expect(startApplication({ server: { port: portOf(server) } })).rejects.toMatchObject(causedBy('EADDRINUSE'));
  });

  it('rejects for an address that this host does not have', async () => {
    await expect(startApplication({ server: { host: '192.0.2.1' } })).rejects.toMatchObject(causedBy('EADDRNOTAVAIL'));
  });

  it('rejects for a name that does not resolve', async () => {
    // Without any name server at all the system says EAI_AGAIN.
    const resolving = startApplication({ server: { host: 'no-such-host.invalid' } });
    await expect(resolving).rejects.toMatchObject(causedBy(/^(ENOTFOUND|EAI_AGAIN)$/));
  });

  it('rejects for a path in a directory that does not exist', async () => {
    const server = new SealwireServer({ path: join(tmpdir(), 'sealwire-no-such-directory', 's.sock'), keyring });
    await expect(listenWith(server)).rejects.toMatchObject({ code: 'ERR_LISTEN_FAILED' });
  });

  it.skipIf(process.getuid?.() === 0)('rejects for a path in a directory without permission', async () => {
    const server = new SealwireServer({ path: join(await closedDirectory(), 's.sock'), keyring });
    await expect(listenWith(server)).rejects.toMatchObject(causedBy('EACCES'));
  });

  it('rejects for a key file that is missing', async () => {
    const server = new SealwireServer({ port: 0, keyFile: join(tmpdir(), 'sealwire-no-such-key.bin') });
    await expect(listenWith(server)).rejects.toMatchObject({ code: 'ERR_KEY_FILE_MISSING' });
  });

  it('may be called again after it was rejected, once the cause is gone', async () => {
    const first = await startApplication({});
    const port = portOf(first.server);
    const app = await create({ port });
    await expect(app.listen()).rejects.toMatchObject(causedBy('EADDRINUSE'));
    await first.app.close();
    await app.listen();
    expect(await outcome(newClient(port).send('echo', 0))).toBe('here');
    await app.close();
  });
});

async function create(options: Partial<SealwireServerOptions>) {
  const strategy = newServer(options);
  const root = rootModule({ controllers: [EchoController] });
  return NestFactory.createMicroservice<MicroserviceOptions>(root, { strategy, logger: false });
}

async function listenWith(strategy: SealwireServer): Promise<void> {
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(rootModule({}), { strategy, logger: false });
  await app.listen();
}
