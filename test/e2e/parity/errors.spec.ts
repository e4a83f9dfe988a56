// How the failures of handlers and filters arrive.
import { inspect, types } from 'node:util';

import { Catch, Controller, HttpException, Inject, UseFilters } from '@nestjs/common';
import type { ExceptionFilter, RpcExceptionFilter } from '@nestjs/common';
import { ClientProxy, MessagePattern, Payload, RpcException } from '@nestjs/microservices';
import { RemoteError, SealwireModule, TransportError } from '@sealwire/transport';
import { firstValueFrom, of, throwError } from 'rxjs';
import type { Observable } from 'rxjs';
import { mergeMap } from 'rxjs/operators';
import { afterEach, describe, expect, it } from 'vitest';

import { all, outcome, startApplication } from '../../support/application.js';
import { endAll, keyring, portOf } from '../../support/pair.js';

afterEach(() => endAll());

class DomainError extends Error {}

@Catch(DomainError)
class DomainFilter implements RpcExceptionFilter<DomainError> {
  catch({ message }: DomainError): Observable<never> {
    return throwError(() => ({ name: 'DomainError', status: 409, message, code: 'E_CONFLICT', details: { id: 1 } }));
  }
}

@Catch(DomainError)
class TextFilter implements ExceptionFilter<DomainError> {
  catch(): Observable<never> {
    return throwError(() => 'just a text');
  }
}

/** As Nest's documentation writes it. */
@Catch(RpcException)
class BareFilter implements RpcExceptionFilter<RpcException> {
  catch(exception: RpcException): Observable<never> {
    return throwError(() => exception.getError());
  }
}

@Controller()
class FailingController {
  @MessagePattern('text')
  text(): never {
    throw new RpcException('not today');
  }

  @MessagePattern('object')
  object(): never {
    throw new RpcException({ reason: 42, message: 'not today' });
  }

  @MessagePattern('plain')
  plain(): never {
    throw new Error('the password is 1234');
  }

  @MessagePattern('http')
  http(): never {
    throw new HttpException('gone', 410);
  }

  @MessagePattern('rejects')
  rejects(): Promise<never> {
    return Promise.reject(new RpcException('rejected'));
  }

  @MessagePattern('observable')
  observable(): Observable<number> {
    return of(1, 2, 3).pipe(
      mergeMap((value) => (value < 3 ? of(value) : throwError(() => new RpcException('at three')))),
    );
  }

  @UseFilters(DomainFilter)
  @MessagePattern('filtered')
  filtered(): never {
    throw new DomainError('taken');
  }

  @MessagePattern('generator')
  async *generator(): AsyncGenerator<number> {
    yield 1;
    throw Object.assign(new Error('the password is 1234'), { query: 'SELECT 1234' });
  }

  @UseFilters(BareFilter)
  @MessagePattern('bare')
  bare(@Payload() { error }: { error: string }): never {
    throw new RpcException(error);
  }

  @UseFilters(TextFilter)
  @MessagePattern('filtered text')
  filteredText(): never {
    throw new DomainError('taken');
  }
}

const start = () => startApplication({ controllers: [FailingController] });
const internal = { status: 'error', message: 'Internal server error' };

describe('a failure of a handler', () => {
  it.each([
    ['RpcException with a text', 'text', { status: 'error', message: 'not today' }],
    ['RpcException with an object', 'object', { reason: 42, message: 'not today' }],
    ['RpcException that rejects', 'rejects', { status: 'error', message: 'rejected' }],
    ['unknown error', 'plain', internal],
    ['HttpException', 'http', internal],
    ['error with fields that no filter has changed', 'generator', internal],
    [
      'filter with an object',
      'filtered',
      { name: 'DomainError', status: 409, message: 'taken', code: 'E_CONFLICT', details: { id: 1 } },
    ],
  ])('%s arrives with only these fields, and a stack', async (_what, pattern, fields) => {
    const { client } = await start();
    const error = await outcome(client.send(pattern, 0));
    expect(error).toBeInstanceOf(RemoteError);
    expect(types.isNativeError(error)).toBe(true);
    expect(inspect(error)).toContain('remote-error');
    expect({ ...(error as object) }).toEqual(fields);
    expect(JSON.parse(JSON.stringify(error))).toEqual(fields);
    expect((error as Error).stack).toContain('remote-error');
  });

  it('that a filter turns into a text arrives as that text', async () => {
    const { client } = await start();
    expect(await outcome(client.send('filtered text', 0))).toBe('just a text');
  });

  it('arrives with its own fields if it has a code of the transport', async () => {
    const { client } = await start();
    const own = {
      status: 'error',
      code: 'ERR_REQUEST_TIMEOUT',
      message: 'The request timed out',
      query: 'q7',
    };
    for (const error of [own, { code: 'ERR_OVERLOADED' }]) {
      const arrived = await outcome(client.send('bare', { error }));
      expect(arrived).toBeInstanceOf(RemoteError);
      expect({ ...(arrived as object) }).toEqual(error);
    }
  });

  it.each([
    ['an object', { status: 'error', message: 'db timed out', code: 'ERR_REQUEST_TIMEOUT' }],
    ['an object in another order', { code: 'ERR_OVERLOADED', message: '', status: 'error' }],
    ['a long message', { status: 'error', message: '\uD800'.repeat(2_000), code: 'ERR_OVERLOADED' }],
  ])('arrives marked if a caller could mistake it for a failure of the transport: %s [R6.34]', async (_what, error) => {
    const { client } = await start();
    const arrived = await outcome(client.send('bare', { error }));
    expect(arrived).toBeInstanceOf(RemoteError);
    expect({ ...(arrived as object) }).toEqual({ ...JSON.parse(JSON.stringify(error)), application: true });
  });

  it.each([[[1, 2]], [[]], [7], [true], ['text'], [Buffer.from('bytes')]])('arrives unchanged: %j', async (error) => {
    const { client, server } = await start();
    server.addHandler('raw', () => Promise.resolve(throwError(() => error)));
    expect(await outcome(client.send('raw', 0))).toEqual(error);
  });

  it.each([
    ['', "''"],
    [0, '0'],
    [false, 'false'],
  ])('that is falsy, %j, arrives as an error', async (falsy, shown) => {
    const { client } = await start();
    const error = await outcome(client.send('bare', { error: falsy }));
    expect(error).toBeInstanceOf(RemoteError);
    expect(error).toMatchObject({ message: `The handler failed with ${shown}` });
    expect({ ...(error as object) }).toEqual({});
  });

  it('ends a stream after the values before it', async () => {
    const { client } = await start();
    const seen: unknown[] = [];
    const ended = new Promise((resolve) => {
      client.send('observable', 0).subscribe({ next: (value) => seen.push(value), error: resolve });
    });
    expect(await ended).toMatchObject({ message: 'at three' });
    expect(seen).toEqual([1, 2]);
  });
});

@Controller()
class ForwardingController {
  constructor(@Inject('BEHIND') private readonly behind: ClientProxy) {}

  @MessagePattern('forward')
  async forward(): Promise<unknown> {
    try {
      return await firstValueFrom(this.behind.send('object', 0));
    } catch (error) {
      throw new RpcException(error as object);
    }
  }

  @MessagePattern('let through')
  letThrough(): Observable<unknown> {
    return this.behind.send('object', 0);
  }

  @MessagePattern('break')
  break(): never {
    throw new RpcException(new Error('the password is 1234'));
  }
}

describe('a failure of a server that the server called', () => {
  const startTwo = async () => {
    const { app, server } = await start();
    const options = { name: 'BEHIND', port: portOf(server), keyring };
    const front = await startApplication({
      imports: [SealwireModule.register(options)],
      controllers: [ForwardingController],
    });
    return { behind: app, client: front.client };
  };

  it('is passed on with its fields only by new RpcException(error)', async () => {
    const { client } = await startTwo();
    const forwarded = await outcome(client.send('forward', 0));
    expect({ ...(forwarded as object) }).toEqual({ reason: 42, message: 'not today' });
    expect({ ...((await outcome(client.send('let through', 0))) as object) }).toEqual(internal);
  });

  it('reveals nothing of an error that is not an answer of a server', async () => {
    const { behind, client } = await startTwo();
    expect({ ...((await outcome(client.send('break', 0))) as object) }).toEqual(internal);
    await behind.close();
    expect({ ...((await outcome(client.send('forward', 0))) as object) }).toEqual(internal);
  });
});

describe('a failure of the transport', () => {
  it('has a code, and says whether the message was sent', async () => {
    const { app, client, server } = await start();
    server.addHandler('hang', () => {
      client.unwrap().destroy();
      return new Promise(() => undefined);
    });
    const lost = await outcome(client.send('hang', 0));
    expect(lost).toBeInstanceOf(TransportError);
    expect(lost).toMatchObject({ code: 'ERR_CONNECTION_LOST', sent: true, fault: 'network' });
    await app.close();
    const unsent = await outcome(client.send('text', 0));
    expect(unsent).toBeInstanceOf(TransportError);
    expect(unsent).toMatchObject({ code: 'ERR_CONNECT_FAILED', sent: false, fault: 'network' });
  });

  it('reaches every call that waits for an answer', async () => {
    const { client, server } = await start();
    const never = (): Promise<never> => new Promise(() => undefined);
    server.addHandler('never', never);
    const waiting = [1, 2, 3].map((number) => all(client.send('never', number)).catch((error: unknown) => error));
    await expect.poll(() => server.snapshot().running).toBe(3);
    client.unwrap().destroy();
    for (const failure of await Promise.all(waiting)) expect(failure).toMatchObject({ code: 'ERR_CONNECTION_LOST' });
  });
});
