import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { link, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { INestMicroservice } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { firstValueFrom } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { SealwireClient, SealwireServer } from '@sealwire/transport';
import { EchoController, rootModule } from '../support/application.js';
import { keyring } from '../support/pair.js';

let directory: string;
let path: string;
let app: INestMicroservice | undefined;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sealwire-path-'));
  path = join(directory, 's.sock');
});

afterEach(async () => {
  await app?.close();
  app = undefined;
  await rm(directory, { recursive: true });
});

async function start(): Promise<void> {
  app = await newApplication();
  await app.listen();
}

function newApplication(): Promise<INestMicroservice> {
  const strategy = new SealwireServer({ path, keyring });
  const root = rootModule({ controllers: [EchoController] });
  return NestFactory.createMicroservice<MicroserviceOptions>(root, { strategy, logger: false });
}

async function echo(): Promise<unknown> {
  const client = new SealwireClient({ path, keyring });
  try {
    return await firstValueFrom(client.send('echo', 'hello'));
  } finally {
    await client.close();
  }
}

describe('a server on a Unix domain socket', () => {
  it('serves there, restricted to its owner, and removes the socket when it closes', async () => {
    await start();
    expect(await echo()).toBe('hello');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await app?.close();
    await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('replaces a socket of a killed server', async () => {
    const script = `require('node:net').createServer().listen(process.argv[1], () => console.log('listening'))`;
    const killed = spawn(process.execPath, ['-e', script, path]);
    await once(killed.stdout, 'data');
    killed.kill('SIGKILL');
    await once(killed, 'close');
    await start();
    expect(await echo()).toBe('hello');
  });

  it('replaces neither a socket in use nor a file', async () => {
    await start();
    const second = await newApplication();
    await expect(second.listen()).rejects.toMatchObject({ code: 'ERR_LISTEN_FAILED' });
    expect(await echo()).toBe('hello');
    await app?.close();
    await writeFile(path, 'precious');
    await expect(start()).rejects.toMatchObject({ code: 'ERR_LISTEN_FAILED' });
    expect((await stat(path)).size).toBe(8);
  });

  it('lets one of several replace the socket of a killed server, and the others fail', async () => {
    const racers = Array.from({ length: 4 }, () => {
      const racer = spawn(process.execPath, ['--input-type=module', '-e', RACER], {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      });
      onTestFinished(() => void racer.kill());
      return racer;
    });
    const tell = (what: string): Promise<unknown[]> =>
      Promise.all(
        racers.map(async (racer) => {
          const answer = once(racer, 'message');
          racer.send(what);
          const [said] = (await answer) as unknown[];
          return said;
        }),
      );
    await Promise.all(racers.map((racer) => once(racer, 'message')));
    for (let round = 0; round < 60; round++) {
      await leaveStaleSocket();
      const outcomes = await tell(path);
      expect(outcomes.map(String).sort()).toEqual([
        'ERR_LISTEN_FAILED',
        'ERR_LISTEN_FAILED',
        'ERR_LISTEN_FAILED',
        'listening',
      ]);
      const socket = connect({ path });
      await once(socket, 'connect');
      socket.destroy();
      await tell('close');
    }
    expect(await readdir(directory)).toEqual([]);
  });
});

/** What a killed server leaves: a name that its process has not removed. */
async function leaveStaleSocket(): Promise<void> {
  const former = createServer().listen(path);
  await once(former, 'listening');
  await link(path, `${path}.kept`);
  former.close();
  await once(former, 'close');
  await rename(`${path}.kept`, path);
}

const RACER = `
  import { generateKey, Keyring, SecretKey } from '@sealwire/crypto';
  import { SealwireServer } from '@sealwire/transport';
  const keyring = Keyring.of(SecretKey.fromBytes(generateKey()));
  let server;
  process.on('message', async (what) => {
    if (what === 'close') {
      await server.close();
      process.send('closed');
    } else {
      server = new SealwireServer({ path: what, keyring });
      server.listen((error) => process.send(error?.code ?? 'listening'));
    }
  });
  process.send('ready');
`;
