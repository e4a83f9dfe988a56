import { Controller, Module } from '@nestjs/common';
import type { Type } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload, RpcException } from '@nestjs/microservices';
import { concat, EMPTY, from, of, throwError } from 'rxjs';
import type { Observable } from 'rxjs';

import type { TransportUnderTest } from './transport-under-test.js';

/** The events that the handlers have got, each with the name of its handler. */
export type Noted = (readonly [handler: string, data: unknown])[];

const NO_PATTERN = 'conformance.not-used';

/** An application with the handlers of the suite. Its events are added to `noted`. */
export function handlersOf({ wildcard, headers }: TransportUnderTest, noted: Noted): Type {
  @Controller()
  class RequestsController {
    @MessagePattern('conformance.sum')
    sum(@Payload() numbers: number[]): number {
      return numbers.reduce((total, number) => total + number, 0);
    }

    @MessagePattern({ cmd: 'conformance', of: 'objects' })
    object(@Payload() value: unknown): unknown {
      return { got: value };
    }

    @MessagePattern('conformance.echo')
    async echo(@Payload() value: unknown): Promise<unknown> {
      return Promise.resolve(value);
    }

    @MessagePattern('conformance.count')
    count(@Payload() last: number): Observable<number> {
      return from(Array.from({ length: last }, (_, index) => index + 1));
    }

    @MessagePattern('conformance.nothing')
    nothing(): Observable<never> {
      return EMPTY;
    }

    @MessagePattern('conformance.fail')
    fail(): never {
      throw new Error('This text is for the log of the server only');
    }

    @MessagePattern('conformance.refuse')
    refuse(): never {
      throw new RpcException({ code: 'NO_STOCK', left: 0 });
    }

    @MessagePattern('conformance.break')
    break(): Observable<number> {
      return concat(
        of(1, 2),
        throwError(() => new RpcException('No more')),
      );
    }

    @MessagePattern('conformance.header')
    header(@Payload() name: string, @Ctx() context: unknown): unknown {
      return { header: headers?.read(context, name) ?? null };
    }
  }

  @Controller()
  class EventsController {
    @EventPattern('conformance.noted')
    first(@Payload() value: unknown): void {
      noted.push(['first', value]);
    }

    @EventPattern(wildcard?.pattern ?? NO_PATTERN)
    covered(@Payload() value: unknown): void {
      noted.push(['covered', value]);
    }

    @EventPattern('conformance.broken')
    broken(@Payload() value: unknown): void {
      const isFirst = !noted.some(([handler]) => handler === 'broken');
      noted.push(['broken', value]);
      if (isFirst) throw new Error('An event handler fails');
    }
  }

  @Controller()
  class SecondController {
    @EventPattern('conformance.noted')
    second(@Payload() value: unknown): void {
      noted.push(['second', value]);
    }
  }

  @Module({ controllers: [RequestsController, EventsController, SecondController] })
  class ConformanceModule {}
  return ConformanceModule;
}
