// Which handlers an application binds to the transport, and which of them a message finds.
import { Controller, Logger } from '@nestjs/common';
import type { LoggerService } from '@nestjs/common';
import { EventPattern, MessagePattern, Payload, Transport } from '@nestjs/microservices';
import { SEALWIRE } from '@sealwire/transport';
import { afterEach, describe, expect, it } from 'vitest';

import { all, arrived, outcome, startApplication } from '../../support/application.js';
import { endAll } from '../../support/pair.js';

const NO_HANDLER = 'There is no matching message handler defined in the remote service.';

afterEach(() => endAll());

@Controller()
class TaggedController {
  @MessagePattern('untagged')
  untagged(): string {
    return 'untagged';
  }

  @MessagePattern('own', SEALWIRE)
  own(): string {
    return 'own';
  }

  @MessagePattern('tcp', Transport.TCP)
  tcp(): string {
    return 'tcp';
  }

  @MessagePattern('other', Symbol('other'))
  other(): string {
    return 'other';
  }
}

describe('the transport id', () => {
  it.each([
    ['its own symbol', {}, ['untagged', 'own', NO_HANDLER, NO_HANDLER]],
    ['Transport.TCP for a migration', { transportId: Transport.TCP }, ['untagged', NO_HANDLER, 'tcp', NO_HANDLER]],
  ])('is %s, and selects the handlers that name it or none', async (_what, server, answers) => {
    const { client } = await startApplication({ controllers: [TaggedController], server });
    const patterns = ['untagged', 'own', 'tcp', 'other'];
    expect(await Promise.all(patterns.map((pattern) => outcome(client.send(pattern, 0))))).toEqual(answers);
  });
});

it('the transport id may be set on the server as well, before its application listens', async () => {
  const { client } = await startApplication({
    controllers: [TaggedController],
    configure: (_app, server) => server.setTransportId(Transport.TCP),
  });
  expect(await outcome(client.send('tcp', 0))).toBe('tcp');
  expect(await outcome(client.send('own', 0))).toBe(NO_HANDLER);
});

@Controller()
class PatternController {
  readonly events: string[] = [];

  @MessagePattern({ cmd: 'sum', of: { kind: 'numbers', scale: 10 } })
  sum(@Payload() terms: readonly number[]): number {
    return terms.reduce((sum, term) => sum + term, 0);
  }

  @MessagePattern({ a: { b: { c: { d: { e: { f: 1, g: 2 } } } } } })
  deep(): string {
    return 'deep';
  }

  @MessagePattern(['first', 'second'])
  either(): string {
    return 'either';
  }

  @MessagePattern(7)
  seven(): string {
    return 'seven';
  }

  @MessagePattern('twice')
  earlier(): string {
    return 'earlier';
  }

  @MessagePattern('twice')
  later(): string {
    return 'later';
  }

  @EventPattern('noted')
  one(@Payload() text: string): void {
    this.events.push(`one ${text}`);
  }

  @EventPattern('noted')
  async two(@Payload() text: string): Promise<void> {
    await Promise.resolve();
    this.events.push(`two ${text}`);
  }
}

@Controller()
class MoreEvents {
  readonly events: string[] = [];

  @EventPattern('noted')
  three(@Payload() text: string): void {
    this.events.push(`three ${text}`);
  }
}

describe('a pattern', () => {
  it.each([
    ['as it is declared', { cmd: 'sum', of: { kind: 'numbers', scale: 10 } }],
    ['with its keys in another order', { of: { scale: 10, kind: 'numbers' }, cmd: 'sum' }],
    ['spelled as its route', '{"cmd":"sum","of":{"kind":"numbers","scale":10}}'],
  ])('that is an object finds its handler %s', async (_what, pattern) => {
    const { client } = await startApplication({ controllers: [PatternController] });
    expect(await outcome(client.send(pattern, [1, 2, 3]))).toBe(6);
  });

  it('that is an object finds its handler for any order of its innermost keys', async () => {
    const { client } = await startApplication({ controllers: [PatternController] });
    expect(await outcome(client.send({ a: { b: { c: { d: { e: { g: 2, f: 1 } } } } } }, 0))).toBe('deep');
    expect(await outcome(client.send({ a: { b: { c: { d: { e: { g: 1, f: 2 } } } } } }, 0))).toBe(NO_HANDLER);
  });

  it('may be one of several of a handler, or a number', async () => {
    const { client } = await startApplication({ controllers: [PatternController] });
    for (const pattern of ['first', 'second']) expect(await outcome(client.send(pattern, 0))).toBe('either');
    expect(await outcome(client.send(7, 0))).toBe('seven');
  });

  it('that two request handlers declare belongs to the later one', async () => {
    const { client } = await startApplication({ controllers: [PatternController] });
    expect(await all(client.send('twice', 0))).toEqual(['later']);
  });

  it('without a handler fails with the message of Nest, also one that differs only in depth', async () => {
    const { client } = await startApplication({ controllers: [PatternController] });
    for (const pattern of ['no such', { cmd: 'sum' }, { cmd: 'sum', of: 'numbers' }, 8]) {
      expect(await outcome(client.send(pattern, 0))).toBe(NO_HANDLER);
    }
  });

  it('of events reaches every handler that declares it, in any controller', async () => {
    const { app, client } = await startApplication({ controllers: [PatternController, MoreEvents] });
    await arrived(client.emit('noted', 'now'));
    const seen = (): string[] => [...app.get(PatternController).events, ...app.get(MoreEvents).events];
    await expect.poll(() => seen().sort()).toEqual(['one now', 'three now', 'two now']);
  });

  it('of an event without a handler is logged, and the sender gets no error', async () => {
    const { client } = await startApplication({ controllers: [PatternController] });
    const lines: unknown[] = [];
    Logger.overrideLogger({
      log() {},
      warn() {},
      error: (line: unknown) => lines.push(String(line)),
    } satisfies LoggerService);
    await arrived(client.emit('no such', 0));
    Logger.overrideLogger(false);
    expect(lines).toEqual(['There is no matching event handler defined in the remote service. Event pattern: no such']);
  });
});
