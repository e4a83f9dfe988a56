// A server on a durable queue of RabbitMQ with acknowledgements. It sends the data and the message id of each message when
// its handler begins. If it hangs, it acknowledges and answers nothing.
import { Logger } from '@nestjs/common';
import { SealedRmqServer } from '@sealwire/brokers';
import { NEVER, of } from 'rxjs';

const { url, queue, keyFile, hangs } = JSON.parse(process.argv[2]);

Logger.overrideLogger(false);
const seal = { keyFile, service: 'work' };
const server = new SealedRmqServer({ urls: [url], queue, queueOptions: { durable: true }, noAck: false, seal });
server.addHandler('work', (data, context) => {
  process.send({ data, messageId: context.getPeer().messageId });
  if (hangs) return Promise.resolve(NEVER);
  context.getChannelRef().ack(context.getMessage());
  return Promise.resolve(of(data));
});
process.on('disconnect', () => process.exit());
void server.listen((error) => process.send(error === undefined ? 'serving' : error.message));
