// What handlers, guards and parameter decorators can learn of a message.
import { Controller, createParamDecorator, Injectable, UseGuards } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { BaseRpcContext, ClientProxy, Ctx, MessagePattern } from '@nestjs/microservices';
import { SealwireContext, SealwireRecordBuilder } from '@sealwire/transport';
import { afterEach, describe, expect, it } from 'vitest';

import { outcome, startApplication } from '../../support/application.js';
import { endAll } from '../../support/pair.js';

afterEach(() => endAll());

const Tenant = createParamDecorator((_: unknown, host: ExecutionContext) => {
  const metadata = host.switchToRpc().getContext<SealwireContext>().getMetadata();
  return metadata?.['tenant'];
});

@Injectable()
class TenantGuard implements CanActivate {
  canActivate(host: ExecutionContext): boolean {
    return host.switchToRpc().getContext<SealwireContext>().getMetadata()?.['tenant'] === 'a';
  }
}

@Controller()
class ContextController {
  @MessagePattern('who')
  who(@Ctx() context: SealwireContext): object {
    return {
      isRpcContext: context instanceof BaseRpcContext,
      pattern: context.getPattern(),
      metadata: context.getMetadata() ?? 'none',
      args: context.getArgs().length,
      isSocketFirst: context.getArgByIndex(0) === context.getSocketRef(),
      isPatternSecond: context.getArgByIndex(1) === context.getPattern(),
    };
  }

  @MessagePattern({ b: 2, a: 1 })
  object(@Ctx() context: SealwireContext): string {
    return context.getPattern();
  }

  @MessagePattern('socket')
  socket(@Ctx() context: SealwireContext): readonly string[] {
    const socket: object = context.getSocketRef();
    return ['write', 'end', 'destroy', 'on', 'pipe', 'pause'].filter((method) => method in socket);
  }

  @UseGuards(TenantGuard)
  @MessagePattern('guarded')
  guarded(@Tenant() tenant: string): string {
    return tenant;
  }
}

describe('the context of a message', () => {
  it('is an RPC context with the arguments of a TcpContext', async () => {
    const { client } = await startApplication({ controllers: [ContextController] });
    expect(await outcome(client.send('who', 0))).toEqual({
      isRpcContext: true,
      pattern: 'who',
      metadata: 'none',
      args: 3,
      isSocketFirst: true,
      isPatternSecond: true,
    });
  });

  it('names an object pattern as Nest normalizes it', async () => {
    const { client } = await startApplication({ controllers: [ContextController] });
    expect(await outcome(client.send({ a: 1, b: 2 }, 0))).toBe('{"a":1,"b":2}');
  });

  it('exposes a socket that cannot be written to, ended or listened on', async () => {
    const { client } = await startApplication({ controllers: [ContextController] });
    expect(await outcome(client.send('socket', 0))).toEqual([]);
  });

  it('lets guards and parameter decorators read the metadata of a message', async () => {
    const { client } = await startApplication({ controllers: [ContextController] });
    const record = (tenant: string) => new SealwireRecordBuilder(0).setMetadata({ tenant }).build();
    expect(await outcome(client.send('guarded', record('a')))).toBe('a');
    expect(await outcome(client.send('guarded', record('b')))).toMatchObject({ message: 'Forbidden resource' });
  });

  it.skipIf(!('setOnDispatchHook' in ClientProxy.prototype))(
    'has the metadata that a dispatch hook of Nest 12 attached to a request or an event',
    async () => {
      const seen: unknown[] = [];
      const { client, server } = await startApplication({ controllers: [ContextController] });
      server.addHandler(
        'event',
        (_data: unknown, context: SealwireContext) => Promise.resolve(void seen.push(context.getMetadata())),
        true,
      );
      const patterns: unknown[] = [];
      client.setOnDispatchHook((packet) => {
        patterns.push(packet.pattern);
        packet.metadata = { traceparent: '00-1' };
      });
      expect(await outcome(client.send('who', 0))).toMatchObject({ metadata: { traceparent: '00-1' } });
      await outcome(client.emit('event', 0));
      expect(seen).toEqual([{ traceparent: '00-1' }]);
      expect(patterns).toEqual(['who', 'event']);
    },
  );
});
