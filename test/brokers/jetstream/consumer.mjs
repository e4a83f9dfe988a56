// Handles events by the recipe of docs/brokers.md. The file `handled` stands for its database.
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { jetstream } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { SealwireCodec } from '@sealwire/envelope';

import { append, read } from './records.mjs';

const { url, folder, killedAt } = JSON.parse(process.argv[2]);
const [handled, delivered, refused] = ['handled', 'delivered', 'refused'].map((name) => join(folder, name));
const RETRY_MS = 100;
const KEY_DELIVERIES = 3;

process.once('disconnect', () => process.exit());

const codec = await SealwireCodec.watch(join(folder, 'aes_key.bin'), {
  service: 'orders',
  subject: 'jetstream:ORDERS',
});
const connection = await connect({
  servers: url,
  maxReconnectAttempts: -1,
  reconnectTimeWait: RETRY_MS,
  waitOnFirstConnect: true,
});
const done = new Set(read(handled).map(({ messageId }) => messageId));

function take(message) {
  const opened = codec.open(message.data);
  if (!opened.ok) return refuse(message, opened.reason);
  const { data, messageId } = opened;
  append(delivered, { messageId });
  if (!done.has(messageId)) {
    append(handled, { messageId, number: data.number }); // the effect and the id, in one step
    done.add(messageId);
  }
  if (data.number === killedAt) process.kill(process.pid, 'SIGKILL'); // handled, and not acknowledged
  message.ack();
}

function refuse(message, reason) {
  append(refused, { reason, sequence: message.seq });
  if (reason === 'key' && message.info.deliveryCount < KEY_DELIVERIES) message.nak(RETRY_MS);
  else message.term(); // with a reason nats-server 2.9 takes no notice of it
}

for (;;) {
  try {
    const consumer = await jetstream(connection).consumers.get('ORDERS', 'billing');
    for await (const message of await consumer.consume({ max_messages: 20, expires: 2000 })) take(message);
  } catch {
    // the broker is away
  }
  await delay(RETRY_MS);
}
