// Senders, @AllowKeys and the switch of a fleet on a real NATS server. What holds on every broker is in ../keys.
import { Controller, Module } from '@nestjs/common';
import type { INestMicroservice } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientNats, Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { SealedNatsClient, SealedNatsServer } from '@sealwire/brokers';
import type { SealedNatsContext, SealOptions } from '@sealwire/brokers';
import { Keyring } from '@sealwire/crypto';
import { AllowKeys } from '@sealwire/transport';
import { lastValueFrom, retry } from 'rxjs';
import type { Observable } from 'rxjs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { newKey } from '../../support/live-keys.js';
import { Engine, isMissing, skipNote } from '../engines/engine.js';
import { NATS } from '../engines/nats.js';

const FORBIDDEN = { status: 'error', code: 'ERR_FORBIDDEN' };
const PAUSE_MS = 100;

const noted: unknown[] = [];

@Controller()
class KeysController {
  @MessagePattern('keys.whoami')
  whoami(@Ctx() context: SealedNatsContext): unknown {
    return context.getPeer();
  }

  @AllowKeys('clerk')
  @MessagePattern('keys.of-clerks')
  ofClerks(): string {
    return 'served';
  }

  @MessagePattern('keys.echo')
  echo(@Payload() value: unknown): unknown {
    return value;
  }

  @EventPattern('noted.*')
  noted(@Payload() value: unknown): void {
    noted.push(value);
  }
}

@Module({ controllers: [KeysController] })
class KeysModule {}

describe.skipIf(isMissing(NATS))(`Sealed NATS${skipNote(NATS)}`, () => {
  const ends: { close(): Promise<unknown> }[] = [];
  let engine: Engine;

  beforeAll(async () => {
    engine = await Engine.start(NATS);
  });

  afterEach(async () => {
    noted.length = 0;
    await Promise.all(ends.splice(0).map((end) => end.close()));
  });

  afterAll(() => engine.stop());

  const options = (seal: Partial<SealOptions>) => ({ servers: engine.url, seal: { service: 'keys', ...seal } });

  async function startServer(seal: Partial<SealOptions>): Promise<SealedNatsServer> {
    const strategy = new SealedNatsServer({ ...options(seal), queue: 'keys' });
    const settings = { strategy, logger: false, abortOnError: false } as const;
    const app: INestMicroservice = await NestFactory.createMicroservice<MicroserviceOptions>(KeysModule, settings);
    await app.listen();
    ends.push(app);
    return strategy;
  }

  /** A client whose server has its subscriptions. */
  async function connect<Client extends ClientNats>(client: Client): Promise<Client> {
    ends.push(client);
    await lastValueFrom(client.send('keys.echo', 0).pipe(retry({ count: 50, delay: PAUSE_MS })));
    return client;
  }

  const outcome = (values: Observable<unknown>): Promise<unknown> =>
    lastValueFrom(values).catch((error: unknown) => error);

  it('gives handlers the proved sender, whose message ids are unique', async () => {
    const key = newKey({ label: 'clerk' });
    await startServer({ keyring: Keyring.of(key) });
    const client = await connect(new SealedNatsClient(options({ keyring: Keyring.of(key) })));
    const peers = [await outcome(client.send('keys.whoami', 0)), await outcome(client.send('keys.whoami', 0))];
    expect(peers[0]).toMatchObject({ keyId: key.id, label: 'clerk', instanceId: expect.stringMatching(/^[\w-]{22}$/) });
    expect(new Set(peers.map((peer) => (peer as { messageId: string }).messageId)).size).toBe(2);
  });

  it('serves @AllowKeys to the keys that it names, and to no other', async () => {
    const [clerk, other] = [newKey({ label: 'clerk' }), newKey({ label: 'other' })];
    await startServer({ keyring: Keyring.of(clerk, other) });
    const client = await connect(new SealedNatsClient(options({ keyring: Keyring.of(clerk) })));
    const stranger = await connect(new SealedNatsClient(options({ keyring: Keyring.of(other) })));
    expect(await outcome(client.send('keys.of-clerks', 0))).toBe('served');
    expect(await outcome(stranger.send('keys.of-clerks', 0))).toMatchObject(FORBIDDEN);
  });

  it('serves plain and sealed clients in the mode open-only, and then sealed ones only', async () => {
    const keyring = Keyring.of(newKey());
    await startServer({ keyring, mode: 'open-only' });
    const plain = await connect(new ClientNats({ servers: engine.url }));
    const sealed = await connect(new SealedNatsClient(options({ keyring })));
    expect(await outcome(plain.send('keys.echo', 'plain'))).toBe('plain');
    expect(await outcome(sealed.send('keys.echo', 'sealed'))).toBe('sealed');
    // Without a proved key.
    expect(await outcome(plain.send('keys.of-clerks', 0))).toMatchObject({ status: 'error' });
  });

  it('stays up whatever a stranger sends, and goes on after the broker was killed', async () => {
    const keyring = Keyring.of(newKey());
    const server = await startServer({ keyring });
    const client = await connect(new SealedNatsClient(options({ keyring })));
    const stranger = await connectStranger(engine.url);
    const before = server.refusals.form;
    for (const text of ['', 'garbage', '{"pattern":"keys.echo","data":1,"id":"1"}']) {
      stranger.publish('keys.echo', text, { reply: 'stranger.inbox' });
    }
    await expect.poll(() => server.refusals.form - before).toBe(3);
    expect(await outcome(client.send('keys.echo', 1))).toBe(1);
    await stranger.close();
    await engine.kill();
    await engine.restart();
    await expect.poll(() => outcome(client.send('keys.echo', 2)), { timeout: 60_000, interval: 200 }).toBe(2);
  });

  /** The connection below Nest's own client. */
  async function connectStranger(url: string) {
    const client = new ClientNats({ servers: url });
    await client.connect();
    ends.push(client);
    return client.unwrap<{
      publish(subject: string, data: string, options: { reply: string }): void;
      close(): Promise<void>;
    }>();
  }
});
