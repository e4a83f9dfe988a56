// Pipes, guards, interceptors and filters: of methods, of the application, and of a hybrid application.
import {
  Body,
  Catch,
  Controller,
  Get,
  HttpException,
  Injectable,
  ParseIntPipe,
  UseGuards,
  UsePipes,
} from '@nestjs/common';
import type {
  CallHandler,
  CanActivate,
  ExecutionContext,
  NestInterceptor,
  PipeTransform,
  RpcExceptionFilter,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE, NestFactory } from '@nestjs/core';
import { EventPattern, MessagePattern, Payload, RpcException } from '@nestjs/microservices';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { throwError } from 'rxjs';
import type { Observable } from 'rxjs';
import { map } from 'rxjs/operators';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { all, arrived, newServer, outcome, rootModule, startApplication } from '../../support/application.js';
import { endAll, endLater, newClient, portOf } from '../../support/pair.js';

afterEach(() => endAll());

let steps: string[] = [];

beforeEach(() => {
  steps = [];
});

@Injectable()
class TrimPipe implements PipeTransform {
  transform(value: unknown): unknown {
    steps.push('pipe');
    return typeof value === 'string' ? value.trim() : value;
  }
}

@Injectable()
class NoSpies implements CanActivate {
  canActivate(host: ExecutionContext): boolean {
    steps.push(`guard ${host.getType()}`);
    return host.getType() !== 'rpc' || host.switchToRpc().getData() !== 'spy';
  }
}

@Injectable()
class Exclaim implements NestInterceptor {
  intercept(_host: ExecutionContext, next: CallHandler): Observable<unknown> {
    steps.push('interceptor');
    return next.handle().pipe(map((value) => (typeof value === 'string' ? `${value}!` : value)));
  }
}

@Catch()
class Explain implements RpcExceptionFilter {
  catch(error: Error): Observable<never> {
    steps.push('filter');
    return throwError(() => ({ explained: error.message }));
  }
}

@Controller()
class PlainController {
  readonly seen: unknown[] = [];

  @MessagePattern('greet')
  greet(@Payload() name: string): string {
    return `Hello ${name}`;
  }

  @MessagePattern('fail')
  fail(): never {
    throw new Error('inside');
  }

  @EventPattern('noted')
  noted(@Payload() text: string): void {
    this.seen.push(text);
  }

  @MessagePattern('half')
  half(@Payload('number', ParseIntPipe) number: number): number {
    return number / 2;
  }

  @UsePipes(TrimPipe)
  @MessagePattern('trimmed')
  trimmed(@Payload() text: string): string {
    return text;
  }

  @UseGuards(NoSpies)
  @MessagePattern('guarded')
  guarded(): string {
    return 'in';
  }

  @Get('greet')
  overHttp(@Body() _body: unknown): string {
    return 'Hello HTTP';
  }
}

function useGlobally(app: Globals): void {
  app.useGlobalPipes(new TrimPipe());
  app.useGlobalGuards(new NoSpies());
  app.useGlobalInterceptors(new Exclaim());
  app.useGlobalFilters(new Explain());
}

interface Globals {
  useGlobalPipes(pipe: PipeTransform): unknown;
  useGlobalGuards(guard: CanActivate): unknown;
  useGlobalInterceptors(interceptor: NestInterceptor): unknown;
  useGlobalFilters(filter: RpcExceptionFilter): unknown;
}

const provided = [
  { provide: APP_PIPE, useClass: TrimPipe },
  { provide: APP_GUARD, useClass: NoSpies },
  { provide: APP_INTERCEPTOR, useClass: Exclaim },
  { provide: APP_FILTER, useClass: Explain },
];

describe('pipes and guards of a method', () => {
  it('change the payload, refuse it, and refuse the call', async () => {
    const { client } = await startApplication({ controllers: [PlainController] });
    expect(await outcome(client.send('half', { number: '8' }))).toBe(4);
    expect(await outcome(client.send('half', { number: 'x' }))).toMatchObject({ message: 'Internal server error' });
    expect(await outcome(client.send('trimmed', ' x '))).toBe('x');
    expect(await outcome(client.send('guarded', 'friend'))).toBe('in');
    expect(await outcome(client.send('guarded', 'spy'))).toMatchObject({ message: 'Forbidden resource' });
  });
});

describe.each([
  ['set on the application', { configure: useGlobally }],
  ['provided by a module', { providers: provided }],
])('enhancers of the application, %s', (_how, options) => {
  it('are applied to every request, in the order of Nest', async () => {
    const { client } = await startApplication({ controllers: [PlainController], ...options });
    expect(await all(client.send('greet', ' you '))).toEqual(['Hello you!']);
    expect(steps).toEqual(['guard rpc', 'interceptor', 'pipe']);
  });

  it('are applied to every event', async () => {
    const { app, client } = await startApplication({ controllers: [PlainController], ...options });
    await arrived(client.emit('noted', ' rain '));
    await expect.poll(() => app.get(PlainController).seen).toEqual(['rain']);
    expect(steps).toEqual(['guard rpc', 'interceptor', 'pipe']);
  });

  it('receive the failures of the handler and of the guard', async () => {
    const { client } = await startApplication({ controllers: [PlainController], ...options });
    expect(await outcome(client.send('fail', 0))).toMatchObject({ explained: 'inside' });
    expect(await outcome(client.send('greet', 'spy'))).toMatchObject({ explained: 'Forbidden resource' });
  });
});

@Catch(HttpException)
class HttpToRpc implements RpcExceptionFilter<HttpException> {
  catch(error: HttpException): Observable<never> {
    return throwError(() => new RpcException(error.getResponse()).getError());
  }
}

describe('a hybrid application', () => {
  const start = async (inheritAppConfig: boolean) => {
    const server = newServer();
    const app = await NestFactory.create(rootModule({ controllers: [PlainController] }), { logger: false });
    useGlobally(app);
    app.useGlobalFilters(new HttpToRpc());
    app.connectMicroservice<MicroserviceOptions>({ strategy: server }, { inheritAppConfig });
    await app.startAllMicroservices();
    await app.listen(0, '127.0.0.1');
    endLater(app);
    return { app, client: newClient(portOf(server)), url: await app.getUrl() };
  };

  it('serves HTTP and messages, and applies its enhancers to both with inheritAppConfig', async () => {
    const { client, url } = await start(true);
    expect(await outcome(client.send('greet', ' you '))).toBe('Hello you!');
    expect(await outcome(client.send('fail', 0))).toMatchObject({ explained: 'inside' });
    expect(await (await fetch(`${url}/greet`)).text()).toBe('Hello HTTP!');
    expect(steps.filter((step) => step.startsWith('guard'))).toEqual(['guard rpc', 'guard rpc', 'guard http']);
  });

  it('does not apply its enhancers to messages without it', async () => {
    const { client, url } = await start(false);
    expect(await outcome(client.send('greet', ' you '))).toBe('Hello  you ');
    expect(await outcome(client.send('fail', 0))).toMatchObject({ message: 'Internal server error' });
    expect(await (await fetch(`${url}/greet`)).text()).toBe('Hello HTTP!');
  });

  it('ends its connections when it closes', async () => {
    const { app, client } = await start(true);
    await client.ping();
    await app.close();
    expect(await outcome(client.send('greet', 'you'))).toMatchObject({ code: 'ERR_CONNECT_FAILED' });
  });
});
