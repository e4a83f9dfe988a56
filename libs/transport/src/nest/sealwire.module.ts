import { Module } from '@nestjs/common';
import type { DynamicModule, FactoryProvider, InjectionToken, ModuleMetadata } from '@nestjs/common';

import { SealwireClient } from './client.js';
import type { SealwireClientOptions } from './options.js';

/** One client and the token it is injected by: `@Inject('ORDERS') orders: ClientProxy`. */
export interface NamedClientOptions extends SealwireClientOptions {
  readonly name: InjectionToken;
}

export interface AsyncClientOptions {
  readonly name: InjectionToken;
  readonly imports?: NonNullable<ModuleMetadata['imports']>;
  readonly inject?: NonNullable<FactoryProvider['inject']>;
  /** Nest gives the injected values as they are declared; its own factories are typed no closer. */
  readonly useFactory: (...injected: never[]) => SealwireClientOptions | Promise<SealwireClientOptions>;
}

/** Provides clients. They connect with their first call, and drain when the application shuts down. */
@Module({})
export class SealwireModule {
  static register(clients: NamedClientOptions | readonly NamedClientOptions[]): DynamicModule {
    const providers = toList(clients).map(({ name, ...options }) => ({
      provide: name,
      useFactory: () => new SealwireClient(options),
    }));
    return { module: SealwireModule, providers, exports: providers };
  }

  static registerAsync(clients: AsyncClientOptions | readonly AsyncClientOptions[]): DynamicModule {
    const list = toList(clients);
    const providers = list.map(({ name, inject = [], useFactory }) => ({
      provide: name,
      inject,
      useFactory: async (...injected: never[]) => new SealwireClient(await useFactory(...injected)),
    }));
    const imports = list.flatMap((client) => client.imports ?? []);
    return { module: SealwireModule, imports, providers, exports: providers };
  }
}

function toList<T>(one: T | readonly T[]): readonly T[] {
  return isList(one) ? one : [one];
}

function isList<T>(one: T | readonly T[]): one is readonly T[] {
  return Array.isArray(one);
}
