// Publishes events by the recipe of docs/brokers.md. The files `outbox` and `acknowledged` stand for its database.
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { jetstream } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { SealwireCodec } from '@sealwire/envelope';

import { append, read } from './records.mjs';

const { url, folder, events, killedAt } = JSON.parse(process.argv[2]);
const [outbox, acknowledged] = [join(folder, 'outbox'), join(folder, 'acknowledged')];
const PAUSE_MS = 10; // so that much is still to be sent when something is killed
const RETRY_MS = 100;

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
const stream = jetstream(connection);

async function publish({ number, messageId, envelope }) {
  for (;;) {
    try {
      const { duplicate } = await stream.publish('orders.created', envelope, { msgID: messageId, timeout: 2000 });
      if (number === killedAt) process.kill(process.pid, 'SIGKILL'); // the broker has stored the event, and no record says so yet
      append(acknowledged, { number, messageId, duplicate });
      process.send(number);
      return;
    } catch {
      await delay(RETRY_MS); // the same bytes again, with the same id
    }
  }
}

const before = read(outbox);
const done = new Set(read(acknowledged).map(({ messageId }) => messageId));
for (const event of before) if (!done.has(event.messageId)) await publish(event);
for (let number = before.length; number < events; number += 1) {
  const { bytes, messageId } = codec.seal({ number });
  const event = { number, messageId, envelope: Buffer.from(bytes).toString() };
  append(outbox, event);
  await publish(event);
  await delay(PAUSE_MS);
}
codec.close();
await connection.close();
process.disconnect();
