import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { INestMicroservice } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { createKeyFile, CryptoError, loadKeyring } from '@sealwire/crypto';
import {
  RemoteError,
  SealwireClient,
  SealwireRecordBuilder,
  SealwireServer,
  TransportError,
} from '@sealwire/transport';
import { firstValueFrom } from 'rxjs';
import { SumsController } from './sums.controller';

const folder = mkdtempSync(join(tmpdir(), 'sealwire-jest-'));
const keyFile = join(folder, 'key.bin');

let app: INestMicroservice;
let client: SealwireClient;

const failure = (call: Promise<unknown>): Promise<unknown> => call.catch((error: unknown) => error);

beforeAll(async () => {
  await createKeyFile(keyFile);
  const strategy = new SealwireServer({ port: 0, keyring: await loadKeyring(keyFile) });
  const module = await Test.createTestingModule({ controllers: [SumsController] }).compile();
  app = module.createNestMicroservice({ strategy });
  await app.listen();
  const { port } = strategy.unwrap<Server>().address() as AddressInfo;
  client = new SealwireClient({ host: 'localhost', port, keyFile });
});

afterAll(async () => {
  await client.close();
  await app.close();
  rmSync(folder, { recursive: true });
});

it('calls a handler, with a record and with bytes', async () => {
  expect(await firstValueFrom(client.send('sum', [1, 2]))).toBe(3);
  const record = new SealwireRecordBuilder([3, 4]).setTimeoutMs(60_000).build();
  expect(await firstValueFrom(client.send('sum', record))).toBe(7);
  expect(await firstValueFrom(client.send('echo', Buffer.from('bytes')))).toEqual(Buffer.from('bytes'));
});

it('gets the failures of a handler', async () => {
  const error = await failure(firstValueFrom(client.send('refuse', 0)));
  expect(error).toBeInstanceOf(RemoteError);
  expect(error).toMatchObject({ statusCode: 404, message: 'no such order' });
  await expect(firstValueFrom(client.send('refuse', 0))).rejects.toThrow('no such order');
});

it('gets the failures of the system by their codes', async () => {
  const missing = await failure(loadKeyring(join(folder, 'none.bin')));
  expect(missing).toBeInstanceOf(CryptoError);
  expect(missing).toMatchObject({ code: 'ERR_KEY_FILE_MISSING' });
  const unreachable = new SealwireClient({ path: join(folder, 'none.sock'), keyFile });
  const refused = await failure(firstValueFrom(unreachable.send('sum', [1])));
  expect(refused).toBeInstanceOf(TransportError);
  expect(refused).toMatchObject({ code: 'ERR_CONNECT_FAILED', sent: false });
  await unreachable.close();
});
