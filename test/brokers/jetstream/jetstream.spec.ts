// Durable events on a real NATS server. Publisher, consumer and broker are processes, and each of them is killed.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, nanos } from '@nats-io/transport-node';
import { createKeyFile, generateKey, Keyring, SecretKey } from '@sealwire/crypto';
import { SealwireCodec } from '@sealwire/envelope';
import { afterEach, describe, expect, it } from 'vitest';

import { Engine, isMissing, skipNote } from '../engines/engine.js';
import { NATS } from '../engines/nats.js';
import { Program } from './program.js';

const EVENTS = 300;
const CONSUMER_KILLED_AT = 80;
const PUBLISHER_KILLED_AT = 100;
const BROKER_KILLED_AT = 150;
const ALL_KILLED_AT = 220;
const PATIENT = { timeout: 60_000, interval: 10 };

interface Acknowledged {
  readonly number: number;
  readonly messageId: string;
  readonly duplicate: boolean;
}

type Handled = Pick<Acknowledged, 'messageId'>;

interface Refused {
  readonly reason: string;
  readonly sequence: number;
}

const ends: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sealwire-jetstream-'));
  ends.push(() => rm(folder, { recursive: true }));
  await createKeyFile(join(folder, 'aes_key.bin'));
  return folder;
}

/** A connection of a stranger with all rights at the broker, and a stream with a durable consumer. */
async function newStream(url: string) {
  const connection = await connect({ servers: url, maxReconnectAttempts: -1, reconnectTimeWait: 100 });
  ends.push(() => connection.close());
  const admin = await jetstreamManager(connection);
  await admin.streams.add({ name: 'ORDERS', subjects: ['orders.>'] });
  await admin.consumers.add('ORDERS', { durable_name: 'billing', ack_policy: 'explicit', ack_wait: nanos(2000) });
  return { admin, stranger: jetstream(connection) };
}

/** Returns the sequences of messages that must not open. A copy of a genuine message follows them. */
async function sendWrongMessages({ admin, stranger }: Awaited<ReturnType<typeof newStream>>): Promise<number[]> {
  const captured = await admin.streams.getMessage('ORDERS', { seq: 1 });
  const genuine = Buffer.from(captured?.data ?? []).toString();
  const altered = `${genuine.slice(0, -22)}${'A'.repeat(22)}`;
  const keys = Keyring.of(SecretKey.fromBytes(generateKey()));
  const foreign = new SealwireCodec({ keys, service: 'orders', subject: 'jetstream:ORDERS' });
  const sequences: number[] = [];
  for (const message of ['{"number":1}', '', 'garbage', altered, foreign.encode({ number: 1 })]) {
    sequences.push((await stranger.publish('orders.created', message)).seq);
  }
  await stranger.publish('orders.created', genuine);
  return sequences;
}

function start(file: 'publisher.mjs' | 'consumer.mjs', settings: object): Program {
  const program = new Program(file, settings);
  ends.push(() => program.kill());
  return program;
}

async function recordsOf<T>(folder: string, name: string): Promise<readonly T[]> {
  const lines = (await readFile(join(folder, name), 'utf8')).split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as T);
}

async function reaches(program: Program, number: number): Promise<void> {
  await expect.poll(() => program.progress, PATIENT).toBeGreaterThanOrEqual(number);
}

const sorted = (values: readonly string[]): readonly string[] => values.toSorted();

describe.skipIf(isMissing(NATS))(`Sealed events in JetStream${skipNote(NATS)}`, () => {
  it('are all handled once, although publisher, consumer, broker and then all of them are killed', async () => {
    const engine = await Engine.start(NATS);
    ends.push(() => engine.stop());
    const folder = await newFolder();
    const settings = { url: engine.url, folder, events: EVENTS };
    const stream = await newStream(engine.url);

    const consumer = start('consumer.mjs', { ...settings, killedAt: CONSUMER_KILLED_AT });
    const publisher = start('publisher.mjs', { ...settings, killedAt: PUBLISHER_KILLED_AT });
    await reaches(publisher, 20);
    const wrong = await sendWrongMessages(stream);

    expect(await Promise.all([publisher.exit(), consumer.exit()])).toEqual(['SIGKILL', 'SIGKILL']);
    const secondConsumer = start('consumer.mjs', settings);
    const secondPublisher = start('publisher.mjs', settings);
    await reaches(secondPublisher, BROKER_KILLED_AT);
    await engine.kill();
    await engine.restart();
    await reaches(secondPublisher, ALL_KILLED_AT);
    await Promise.all([engine.kill(), secondPublisher.kill(), secondConsumer.kill()]);
    expect(secondPublisher.progress).toBeLessThan(EVENTS - 1);
    await engine.restart();
    start('consumer.mjs', settings);
    expect(await start('publisher.mjs', settings).exit()).toBe(0);

    const open = async (): Promise<number> => {
      const { num_pending, num_ack_pending } = await stream.admin.consumers.info('ORDERS', 'billing');
      return num_pending + num_ack_pending;
    };
    await expect.poll(() => open().catch(() => undefined), PATIENT).toBe(0);
    const [acknowledged, handled, delivered] = await Promise.all([
      recordsOf<Acknowledged>(folder, 'acknowledged'),
      recordsOf<Handled>(folder, 'handled'),
      recordsOf<Handled>(folder, 'delivered'),
    ]);
    const refused = await recordsOf<Refused>(folder, 'refused');

    expect(acknowledged.map(({ number }) => number)).toEqual(Array.from({ length: EVENTS }, (_, number) => number));
    expect(sorted(handled.map(({ messageId }) => messageId))).toEqual(
      sorted(acknowledged.map(({ messageId }) => messageId)),
    );
    // Both ends have done something twice, which the ids have made good.
    expect(acknowledged[PUBLISHER_KILLED_AT]).toMatchObject({ duplicate: true });
    const again = acknowledged[CONSUMER_KILLED_AT]?.messageId;
    expect(delivered.filter(({ messageId }) => messageId === again).length).toBeGreaterThan(1);
    const reasons = new Map(refused.map(({ sequence, reason }) => [sequence, reason]));
    expect(wrong.map((sequence) => reasons.get(sequence))).toEqual(['form', 'form', 'form', 'tag', 'key']);
    expect(reasons.size).toBe(wrong.length);
  });
});
