// A server or a client of Nest at a broker, stock or sealed, in a process of its own, which a hostile program may end. The
// server sends the name and the data of each message that it handles; the client sends what comes of each call.
import { Logger } from '@nestjs/common';
import {
  ClientMqtt,
  ClientNats,
  ClientRedis,
  ClientRMQ,
  ServerMqtt,
  ServerNats,
  ServerRedis,
  ServerRMQ,
} from '@nestjs/microservices';
import * as sealed from '@sealwire/brokers';
import { NEVER, of } from 'rxjs';

const STOCK = {
  nats: { Server: ServerNats, Client: ClientNats },
  redis: { Server: ServerRedis, Client: ClientRedis },
  mqtt: { Server: ServerMqtt, Client: ClientMqtt },
  rabbitmq: { Server: ServerRMQ, Client: ClientRMQ },
};
const SEALED = {
  nats: { Server: sealed.SealedNatsServer, Client: sealed.SealedNatsClient },
  redis: { Server: sealed.SealedRedisServer, Client: sealed.SealedRedisClient },
  mqtt: { Server: sealed.SealedMqttServer, Client: sealed.SealedMqttClient },
  rabbitmq: { Server: sealed.SealedRmqServer, Client: sealed.SealedRmqClient },
};

const { role, broker, url, keyFile } = JSON.parse(process.argv[2]);
const { hostname: host, port } = new URL(url);
const address = {
  nats: { servers: url },
  redis: { host, port: Number(port) },
  mqtt: { url, protocolVersion: 5 },
  rabbitmq: { urls: [url], queue: 'victim', queueOptions: { durable: false }, wildcards: true },
}[broker];
const { Server, Client } = (keyFile === undefined ? STOCK : SEALED)[broker];
const options = keyFile === undefined ? address : { ...address, seal: { keyFile, service: 'victim' } };

function serve() {
  const server = new Server(options);
  for (const name of ['victim.echo', 'victim.other', 'victim.late']) {
    server.addHandler(name, (data) => {
      process.send({ handled: [name, data] });
      return Promise.resolve(name === 'victim.late' ? NEVER : of(data));
    });
  }
  server.listen((error) => process.send(error === undefined ? { ready: true } : { failed: String(error) }));
}

function call() {
  const client = new Client(options);
  process.on('message', ({ name, data }) =>
    client.send(name, data).subscribe({
      next: (answer) => process.send({ answer }),
      error: (error) => process.send({ failed: String(error?.message ?? error) }),
    }),
  );
  process.send({ ready: true });
}

Logger.overrideLogger(false);
process.on('disconnect', () => process.exit());
if (role === 'server') serve();
else call();
