// The objects that Nest creates again for each message: providers, controllers and enhancers of request scope.
import { Controller, Inject, Injectable, Scope } from '@nestjs/common';
import type { CanActivate } from '@nestjs/common';
import { APP_GUARD, REQUEST } from '@nestjs/core';
import { CONTEXT, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import type { RequestContext } from '@nestjs/microservices';
import type { SealwireContext } from '@sealwire/transport';
import { from } from 'rxjs';
import type { Observable } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { all, arrived, EchoController, outcome, startApplication } from '../../support/application.js';
import { endAll } from '../../support/pair.js';

afterEach(() => endAll());

type Message = RequestContext<unknown, SealwireContext>;

let made = 0;
let seen: unknown[] = [];

beforeEach(() => {
  made = 0;
  seen = [];
});

@Injectable({ scope: Scope.REQUEST })
class PerRequest {
  readonly number = ++made;

  constructor(@Inject(REQUEST) readonly request: Message) {}
}

@Controller()
class ScopedController {
  constructor(@Inject(PerRequest) private readonly scoped: PerRequest) {}

  @MessagePattern('scoped')
  async perRequest(@Payload() value: unknown): Promise<object> {
    await Promise.resolve();
    const { number, request } = this.scoped;
    return { number, value, sees: request.data, pattern: request.context?.getPattern() };
  }
}

@Controller({ scope: Scope.REQUEST })
class PerMessageController {
  readonly #number = ++made;

  constructor(@Inject(CONTEXT) private readonly message: Message) {}

  @MessagePattern('own')
  async own(): Promise<object> {
    await Promise.resolve();
    const { message } = this;
    return { number: this.#number, sees: message.getData(), pattern: message.getContext().getPattern() };
  }

  @MessagePattern('values')
  values(): Observable<unknown> {
    return from([this.#number, this.message.getData()]);
  }

  @EventPattern('noted')
  noted(@Payload() value: unknown): void {
    seen.push({ value, sees: this.message.getData(), pattern: this.message.getPattern() });
  }
}

@Injectable({ scope: Scope.REQUEST })
class NoSpies implements CanActivate {
  constructor(@Inject(CONTEXT) private readonly message: Message) {}

  canActivate(): boolean {
    made += 1;
    return this.message.getData() !== 'spy';
  }
}

describe('a provider of request scope', () => {
  it('is created for each message, and receives it', async () => {
    const { client } = await startApplication({ controllers: [ScopedController], providers: [PerRequest] });
    const answers = await Promise.all([1, 2, 3].map((value) => outcome(client.send('scoped', value))));
    const numbers = answers.map((answer) => (answer as PerRequest).number);
    expect(new Set(numbers).size).toBe(3);
    expect(answers).toEqual(numbers.map((number, i) => ({ number, value: i + 1, sees: i + 1, pattern: 'scoped' })));
  });
});

describe('a controller of request scope', () => {
  it('is created for each request, and has it injected', async () => {
    const { client } = await startApplication({ controllers: [PerMessageController] });
    const answers = await Promise.all([1, 2, 3].map((value) => outcome(client.send('own', value))));
    expect(new Set(answers.map((answer) => (answer as PerRequest).number)).size).toBe(3);
    expect(answers).toMatchObject([1, 2, 3].map((sees) => ({ sees, pattern: 'own' })));
    expect(await all(client.send('values', 'x'))).toEqual([4, 'x']);
  });

  it('is created for each event, and has it injected', async () => {
    const { client } = await startApplication({ controllers: [PerMessageController] });
    await Promise.all([1, 2].map((value) => arrived(client.emit('noted', value))));
    await expect.poll(() => seen).toEqual([1, 2].map((value) => ({ value, sees: value, pattern: 'noted' })));
  });
});

describe('a guard of request scope', () => {
  it('of the whole application is created for each message, and guards it', async () => {
    const { client } = await startApplication({
      controllers: [EchoController],
      providers: [{ provide: APP_GUARD, scope: Scope.REQUEST, useClass: NoSpies }],
    });
    expect(await outcome(client.send('echo', 'friend'))).toBe('friend');
    expect(await outcome(client.send('echo', 'spy'))).toMatchObject({ message: 'Forbidden resource' });
    expect(made).toBe(2);
  });
});
