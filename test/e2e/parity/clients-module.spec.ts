// SealwireModule provides clients as Nest's ClientsModule does; each definition is given to both.
import { Inject, Injectable, Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientProxy, ClientsModule } from '@nestjs/microservices';
import { SealwireClient, SealwireModule } from '@sealwire/transport';
import type { AsyncClientOptions } from '@sealwire/transport';
import { describe, expect, it } from 'vitest';

import { rootModule } from '../../support/application.js';
import { endAll, endLater, keyring } from '../../support/pair.js';

const PORT = 9;
const made = { customClass: SealwireClient, options: { port: PORT, keyring } };

@Injectable()
class OptionsFactory {
  createClientOptions(): typeof made {
    return made;
  }
}

@Injectable()
class PortedFactory {
  constructor(@Inject('PORT') private readonly port: number) {}

  createClientOptions(): typeof made {
    return { ...made, options: { port: this.port, keyring } };
  }
}

@Module({ providers: [OptionsFactory], exports: [OptionsFactory] })
class FactoryModule {}

@Injectable()
class Caller {
  constructor(@Inject('SUMS') readonly client: ClientProxy) {}
}

/** Injects the client without importing its module. */
@Module({ providers: [Caller] })
class CallerModule {}

async function clientOf(clients: DynamicModule, isGlobal: boolean): Promise<ClientProxy> {
  const root = rootModule(
    isGlobal ? { imports: [clients, CallerModule] } : { imports: [clients], providers: [Caller] },
  );
  const app = await NestFactory.createApplicationContext(root, { logger: false, abortOnError: false });
  endLater(app);
  const { client } = app.get(Caller, { strict: false });
  await endAll();
  return client;
}

const port = { provide: 'PORT', useValue: PORT };
const DEFINITIONS: Readonly<Record<string, Omit<AsyncClientOptions, 'name'> & { inject?: ['PORT'] }>> = {
  useFactory: { useFactory: () => made },
  'useFactory and extraProviders': { extraProviders: [port], inject: ['PORT'], useFactory: () => made },
  useClass: { useClass: OptionsFactory },
  'useClass and extraProviders': { useClass: PortedFactory, extraProviders: [port] },
  'useExisting and imports': { useExisting: OptionsFactory, imports: [FactoryModule] },
  'useExisting and extraProviders': { useExisting: PortedFactory, extraProviders: [port, PortedFactory] },
};

describe('registerAsync', () => {
  it.each(Object.entries(DEFINITIONS))(
    'provides a client by %s, for its module and for all',
    async (_name, definition) => {
      const clients = [{ name: 'SUMS', ...definition }];
      for (const isGlobal of [false, true]) {
        const ours = await clientOf(SealwireModule.registerAsync({ isGlobal, clients }), isGlobal);
        const nests = await clientOf(ClientsModule.registerAsync({ isGlobal, clients } as never), isGlobal);
        expect([ours, nests]).toEqual([expect.any(SealwireClient), expect.any(SealwireClient)]);
      }
    },
  );

  it('accepts the options themselves from a factory, and one client without a list', async () => {
    const useFactory = () => ({ port: PORT, keyring });
    const clients = SealwireModule.registerAsync({ name: 'SUMS', isGlobal: true, useFactory });
    expect(await clientOf(clients, true)).toBeInstanceOf(SealwireClient);
  });

  it('creates clients of a class of the application', async () => {
    class OwnClient extends SealwireClient {}
    const useFactory = () => ({ ...made, customClass: OwnClient });
    expect(await clientOf(SealwireModule.registerAsync({ name: 'SUMS', useFactory }), false)).toBeInstanceOf(OwnClient);
  });

  it('refuses a client without a factory, with two, and with an invalid class', async () => {
    const register = (definition: object) => SealwireModule.registerAsync({ name: 'SUMS', ...definition });
    const refusal = expect.objectContaining({ code: 'ERR_BAD_OPTION' });
    expect(() => register({})).toThrow(refusal);
    expect(() => register({ useFactory: () => made, useClass: OptionsFactory })).toThrow(refusal);
    await expect(clientOf(register({ useClass: CallerModule }), false)).rejects.toMatchObject({
      code: 'ERR_BAD_OPTION',
    });
  });
});

describe('register', () => {
  const client = { name: 'SUMS', port: PORT, keyring };

  it('provides a client for every module with isGlobal, of a list and of one', async () => {
    expect(await clientOf(SealwireModule.register({ ...client, isGlobal: true }), true)).toBeInstanceOf(SealwireClient);
    const listed = SealwireModule.register({ isGlobal: true, clients: [client, { ...client, name: 'OTHERS' }] });
    expect(await clientOf(listed, true)).toBeInstanceOf(SealwireClient);
  });

  it('restricts a client to the importing modules without isGlobal', async () => {
    await expect(clientOf(SealwireModule.register(client), true)).rejects.toThrow('SUMS');
    expect(await clientOf(SealwireModule.register([client]), false)).toBeInstanceOf(SealwireClient);
  });

  it('refuses an isGlobal that is neither true nor false', () => {
    const isGlobal = 'false' as never;
    expect(() => SealwireModule.register({ ...client, isGlobal })).toThrow(
      expect.objectContaining({ code: 'ERR_BAD_OPTION' }),
    );
  });
});
