// Rotation of the key under load, on the mock broker of kcat.
import { Logger } from '@nestjs/common';
import { SealedKafkaClient, SealedKafkaServer } from '@sealwire/brokers';
import type { SealedKafkaContext } from '@sealwire/brokers';
import { lastValueFrom, of, retry, timeout } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { LiveKeys, newKey } from '../../support/live-keys.js';
import { isMissing, skipNote } from '../engines/engine.js';
import { KCAT, startKafkaMock } from '../engines/kafka.js';
import type { KafkaMock } from '../engines/kafka.js';
import { listening } from '../hostile/hostile-broker.js';

const WHO = 'rotation.who';
const ATTEMPT = { count: 60, delay: 100 };
const ATTEMPT_MS = 2000;

describe.skipIf(isMissing(KCAT))(`Sealed Kafka${skipNote(KCAT)}`, () => {
  const [first, second] = [newKey(), newKey()];
  const [ofServer, ofClient] = [new LiveKeys(first), new LiveKeys(first)];
  let mock: KafkaMock;
  let server: SealedKafkaServer;
  let client: SealedKafkaClient;

  const who = (): Promise<unknown> => lastValueFrom(client.send(WHO, 'x')).catch((error: unknown) => error);

  beforeAll(async () => {
    Logger.overrideLogger(false);
    mock = await startKafkaMock();
    const options = {
      client: { brokers: [mock.address] },
      consumer: { groupId: 'rotation', maxWaitTimeInMs: 20 },
      subscribe: { fromBeginning: true },
    };
    server = await listening(new SealedKafkaServer({ ...options, seal: { keyring: ofServer, service: 'keys' } }), {
      [WHO]: (_: unknown, context: SealedKafkaContext) => Promise.resolve(of(context.getPeer().keyId)),
    });
    client = new SealedKafkaClient({ ...options, seal: { keyring: ofClient, service: 'keys' } });
    client.subscribeToResponseOf(WHO);
    await lastValueFrom(client.send(WHO, 'x').pipe(timeout(ATTEMPT_MS), retry(ATTEMPT)));
  });

  afterAll(async () => {
    await client.close();
    await server.close();
    await mock.stop();
  });

  it('fails no request while the key is rotated under load', async () => {
    const sent: Promise<unknown>[] = [];
    const load = async (count: number): Promise<void> => {
      const batch = Array.from({ length: count }, () => who());
      sent.push(...batch);
      await Promise.race(batch); // the next step comes while the rest is on its way
    };
    await load(200);
    ofServer.add(second);
    await load(200);
    ofClient.use(second);
    await load(200);
    await Promise.all(sent); // a message of the first key is not on its way any more
    ofServer.remove(first);
    await load(200);
    const answers = await Promise.all(sent);
    expect(answers.filter((keyId) => keyId !== first.id && keyId !== second.id)).toEqual([]);
    expect(await who()).toBe(second.id);
  });
});
