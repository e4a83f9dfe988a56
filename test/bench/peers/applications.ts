// The same three transports through whole Nest applications: decorators, a pipe and an interceptor around every request,
// and a client that was injected.

import 'reflect-metadata';
import {
  Controller,
  Module,
  UseInterceptors,
  UsePipes,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
  type PipeTransform,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ClientsModule,
  MessagePattern,
  Payload,
  ServerTCP,
  Transport,
  type ClientProvider,
  type ClientProxy,
  type CustomTransportStrategy,
  type MicroserviceOptions,
  type Server,
} from '@nestjs/microservices';
import { SealwireClient, SealwireServer } from '@sealwire/transport';
import type { Observable } from 'rxjs';
import { map } from 'rxjs';
import type { ConnectedClient, Peer, RunningServer } from '../peer.js';
import { nestLimits } from './nest-tcp.js';
import { clientTls, missingCertificate, serverTls } from './nest-tls.js';
import { connectClient, HOST, PATTERNS, portOf } from './nest.js';
import { sealwireOptions } from './sealwire.js';

class ObjectPipe implements PipeTransform {
  transform(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) throw new TypeError('Not an object');
    return value;
  }
}

class PassingInterceptor implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((value: unknown) => value));
  }
}

@Controller()
class EchoController {
  @MessagePattern(PATTERNS.echo)
  @UsePipes(ObjectPipe)
  @UseInterceptors(PassingInterceptor)
  echo(@Payload() payload: unknown): unknown {
    return payload;
  }
}

@Module({ controllers: [EchoController] })
class ServerModule {}

type Strategy = CustomTransportStrategy & Pick<Server, 'unwrap'>;

async function serveApplication(strategy: Strategy): Promise<RunningServer> {
  const options = { strategy, logger: false } as const;
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(ServerModule, options);
  await app.listen();
  return { port: portOf(strategy), close: () => app.close() };
}

const CLIENT = 'ECHO';

async function connectApplication(provider: ClientProvider): Promise<ConnectedClient> {
  const module = ClientsModule.register([{ name: CLIENT, ...provider }]);
  const app = await NestFactory.createApplicationContext(module, { logger: false });
  return connectClient(app.get<ClientProxy>(CLIENT));
}

export const nestTcpApp: Peer = {
  name: 'nest-tcp-app',
  serve: (setting) => serveApplication(new ServerTCP({ host: HOST, port: 0, ...nestLimits(setting) })),
  connect: (setting, port) =>
    connectApplication({ transport: Transport.TCP, options: { host: HOST, port, ...nestLimits(setting) } }),
};

export const nestTlsApp: Peer = {
  name: 'nest-tls-app',
  missing: missingCertificate,
  serve: ({ secrets }) => serveApplication(new ServerTCP({ host: HOST, port: 0, ...serverTls(secrets) })),
  connect: ({ secrets }, port) =>
    connectApplication({ transport: Transport.TCP, options: { host: HOST, port, ...clientTls(secrets) } }),
};

export const sealwireApp: Peer = {
  name: 'sealwire-app',
  serve: (setting) => serveApplication(new SealwireServer({ host: HOST, port: 0, ...sealwireOptions(setting) })),
  connect: (setting, port) =>
    connectApplication({ customClass: SealwireClient, options: { host: HOST, port, ...sealwireOptions(setting) } }),
};
