// An HTTP gateway in front of a service: what its callers are answered is the same over Transport.TCP.
import type { AddressInfo, Server } from 'node:net';

import {
  BadRequestException,
  Catch,
  Controller,
  Get,
  HttpException,
  Inject,
  Module,
  NotFoundException,
  Param,
  UseFilters,
} from '@nestjs/common';
import type { ArgumentsHost, DynamicModule, ExceptionFilter, INestMicroservice } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientProxy, ClientsModule, MessagePattern, Payload, RpcException, Transport } from '@nestjs/microservices';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { SealwireModule } from '@sealwire/transport';
import { catchError, lastValueFrom, throwError } from 'rxjs';
import type { Observable } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { newServer, rootModule } from '../../support/application.js';
import { endAll, endLater, keyring, portOf } from '../../support/pair.js';

afterAll(() => endAll());

class DomainError extends Error {
  readonly code = 'E_DOMAIN';
  readonly statusCode = 409;
}

class JsonError extends Error {
  toJSON(): object {
    return { statusCode: 422, message: 'as JSON' };
  }
}

const THROWN: Readonly<Record<string, () => unknown>> = {
  'a status': () => new RpcException({ statusCode: 404, message: 'no such order' }),
  'a status twice': () => new RpcException({ status: 404, statusCode: 404, message: 'no such order' }),
  'a status next to the word error': () =>
    new RpcException({ status: 'error', statusCode: 404, message: 'no such order' }),
  'two statuses': () => new RpcException({ status: 400, statusCode: 404, message: 'no such order' }),
  'a status of another name': () => new RpcException({ status: 409, message: 'taken' }),
  'a status of the server': () => new RpcException({ statusCode: 503, message: 'busy' }),
  'a status that is a string': () => new RpcException({ statusCode: '404', message: 'no such order' }),
  'a status that is not a failure': () => new RpcException({ statusCode: 200, message: 'fine' }),
  'a status that HTTP does not have': () => new RpcException({ statusCode: 600, message: 'beyond' }),
  'a status without a message': () => new RpcException({ statusCode: 404 }),
  'a status with an empty message': () => new RpcException({ statusCode: 404, message: '' }),
  'several messages': () => new RpcException({ statusCode: 400, message: ['a', 'b'], error: 'Bad Request' }),
  'a message that is not to be exposed': () =>
    new RpcException({ statusCode: 404, status: 404, message: 'hidden', expose: false }),
  'additional fields': () =>
    new RpcException({
      statusCode: 404,
      message: 'x',
      code: 'E',
      name: 'Lost',
      cause: 'c',
      path: ['a'],
      details: { id: 1 },
    }),
  'a text': () => new RpcException('plain'),
  'a list': () => new RpcException([{ property: 'id', constraints: {} }]),
  'an HttpException': () => new RpcException(new NotFoundException()),
  'an HttpException with a text': () => new RpcException(new NotFoundException('no such order')),
  'an HttpException with several messages': () => new RpcException(new BadRequestException(['a', 'b'])),
  'an HttpException with a body and a cause': () =>
    new RpcException(new HttpException({ code: 'X', id: 4 }, 418, { cause: new Error('secret') })),
  'the body of an HttpException': () => new RpcException(new NotFoundException().getResponse()),
  'an error with fields': () => new RpcException(new DomainError()),
  'an error that makes its own JSON': () => new RpcException(new JsonError()),
  'an HttpException without RpcException': () => new NotFoundException('no such order'),
  'an error without RpcException': () => new DomainError('secret'),
  'an object without RpcException': () => ({ statusCode: 404, message: 'thrown' }),
  'a text without RpcException': () => 'thrown',
};

@Controller()
class FailingController {
  @MessagePattern('fail')
  fail(@Payload() what: string): never {
    throw THROWN[what]?.();
  }
}

/** As applications write it who look at the error themselves. */
@Catch()
class OwnFilter implements ExceptionFilter<{ readonly statusCode?: number; readonly message?: unknown }> {
  catch(error: { readonly statusCode?: number; readonly message?: unknown }, host: ArgumentsHost): void {
    const { statusCode, message } = error;
    const body = {
      isError: error instanceof Error,
      statusCode,
      message,
      all: { ...error },
      fields: Object.keys(error),
    };
    host.switchToHttp().getResponse<{ json(body: object): void }>().json(body);
  }
}

interface Failure {
  readonly message?: string;
  readonly status?: number;
  readonly statusCode?: number;
}

@Controller()
class GatewayController {
  constructor(@Inject('SERVICE') private readonly service: ClientProxy) {}

  @Get('returned/:what')
  returned(@Param('what') what: string): Observable<unknown> {
    return this.service.send('fail', what);
  }

  @Get('awaited/:what')
  async awaited(@Param('what') what: string): Promise<unknown> {
    return await lastValueFrom(this.service.send('fail', what));
  }

  @Get('rewrapped/:what')
  rewrapped(@Param('what') what: string): Observable<unknown> {
    const rethrow = ({ message, status }: Failure) =>
      throwError(() => new HttpException(message ?? '-', status ?? 500));
    return this.service.send<unknown>('fail', what).pipe(catchError(rethrow));
  }

  @Get('whole/:what')
  whole(@Param('what') what: string): Observable<unknown> {
    const rethrow = (error: Failure) =>
      throwError(() => new HttpException(error, error.statusCode === 404 ? 404 : 500));
    return this.service.send<unknown>('fail', what).pipe(catchError(rethrow));
  }

  @Get('as-a-value/:what')
  asValue(@Param('what') what: string): Observable<unknown> {
    return this.service.send<unknown>('fail', what).pipe(catchError((error: unknown) => [error]));
  }

  @UseFilters(OwnFilter)
  @Get('filtered/:what')
  filtered(@Param('what') what: string): Observable<unknown> {
    return this.service.send('fail', what);
  }
}

/** What a gateway does about the failure. */
const WAYS = ['returned', 'awaited', 'rewrapped', 'whole', 'as-a-value', 'filtered'];

async function startService(options: MicroserviceOptions): Promise<INestMicroservice> {
  const root = rootModule({ controllers: [FailingController] });
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(root, { ...options, logger: false });
  endLater(app);
  await app.listen();
  return app;
}

/** @returns The URL of a gateway to the service that `clients` knows as SERVICE. */
async function startGateway(clients: DynamicModule): Promise<string> {
  class GatewayModule {}
  Module({ imports: [clients], controllers: [GatewayController] })(GatewayModule);
  const app = await NestFactory.create(GatewayModule, { logger: false });
  endLater(app);
  await app.listen(0, '127.0.0.1');
  return app.getUrl();
}

async function startOurs(): Promise<string> {
  const server = newServer();
  await startService({ strategy: server });
  return startGateway(SealwireModule.register({ name: 'SERVICE', port: portOf(server), keyring }));
}

async function startNests(): Promise<string> {
  const service = await startService({ transport: Transport.TCP, options: { port: 0 } });
  const { port } = service.unwrap<Server>().address() as AddressInfo;
  return startGateway(ClientsModule.register([{ name: 'SERVICE', transport: Transport.TCP, options: { port } }]));
}

describe('a gateway in front of a handler that throws', () => {
  let ours: string;
  let nests: string;

  beforeAll(async () => {
    [ours, nests] = await Promise.all([startOurs(), startNests()]);
  });

  const ask = async (gateway: string, path: string): Promise<object> => {
    const response = await fetch(`${gateway}/${path}`);
    return { path, status: response.status, body: await response.text() };
  };

  it.each(Object.keys(THROWN))('%s is answered as over Transport.TCP, with any catch in the gateway', async (what) => {
    const askEachWay = (gateway: string): Promise<object[]> =>
      Promise.all(WAYS.map((way) => ask(gateway, `${way}/${encodeURIComponent(what)}`)));
    expect(await askEachWay(ours)).toEqual(await askEachWay(nests));
  });

  it('answers with the status that the handler set', async () => {
    expect(await ask(ours, 'returned/a status')).toMatchObject({
      status: 404,
      body: expect.stringContaining('no such order'),
    });
    expect(await ask(ours, 'rewrapped/an HttpException')).toMatchObject({ status: 404 });
  });
});
