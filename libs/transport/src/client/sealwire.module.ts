import { Module } from '@nestjs/common';
import type { DynamicModule, FactoryProvider, InjectionToken, ModuleMetadata, Provider, Type } from '@nestjs/common';
import { TransportError } from '@sealwire/channel';
import { checkOptions, FLAG, hasMethod } from '@sealwire/channel/internal';

import type { SealwireClientOptions } from '../options.js';
import { SealwireClient } from './client.js';

export interface Visibility {
  /** Whether every module can inject these clients without importing the module. Default: false. */
  readonly isGlobal?: boolean;
}

/** The options of one client, and its injection token: `@Inject('ORDERS') orders: ClientProxy`. */
export interface NamedClientOptions extends SealwireClientOptions, Visibility {
  readonly name: InjectionToken;
}

/** The options of a client, alone or in the form that Nest's `ClientsModule` takes. */
export type MadeClientOptions =
  SealwireClientOptions | { readonly customClass: Type<SealwireClient>; readonly options: SealwireClientOptions };

/** A factory of client options, for `useClass` and `useExisting`. */
export interface SealwireOptionsFactory {
  /** Called once, when Nest creates the client. */
  createClientOptions(): MadeClientOptions | Promise<MadeClientOptions>;
}

/** The options of `registerAsync`. Exactly one of `useFactory`, `useClass` and `useExisting` must be given. */
export interface AsyncClientOptions extends Visibility {
  readonly name: InjectionToken;
  readonly imports?: NonNullable<ModuleMetadata['imports']>;
  /** The tokens of the arguments of `useFactory`. */
  readonly inject?: NonNullable<FactoryProvider['inject']>;
  /** A function that returns the options. The types of its arguments are not checked, as in Nest's own factories. */
  readonly useFactory?: (...injected: never[]) => MadeClientOptions | Promise<MadeClientOptions>;
  /** A factory class. The module of the clients instantiates and exports it. */
  readonly useClass?: Type<SealwireOptionsFactory>;
  /** The token of a factory from one of the `imports`, from `extraProviders`, or from a global module. */
  readonly useExisting?: InjectionToken<SealwireOptionsFactory>;
  /** Providers that the factory needs and that no imported module exports. */
  readonly extraProviders?: readonly Provider[];
}

/** One client, a list of clients, or an object with `clients`, as Nest's `ClientsModule` takes it. */
export type Clients<Client> = Client | readonly Client[] | ({ readonly clients: readonly Client[] } & Visibility);

/** Provides clients, which connect with their first call and drain when the application shuts down. */
@Module({})
export class SealwireModule {
  /** @throws {TransportError} `ERR_BAD_OPTION` */
  static register(clients: Clients<NamedClientOptions>): DynamicModule {
    const list = toList(clients);
    const providers = list.map(({ name, isGlobal: _isGlobal, ...options }) => ({
      provide: name,
      useFactory: () => new SealwireClient(options),
    }));
    return { module: SealwireModule, global: isAnyGlobal(clients, ...list), providers, exports: providers };
  }

  /** @throws {TransportError} `ERR_BAD_OPTION` */
  static registerAsync(clients: Clients<AsyncClientOptions>): DynamicModule {
    const list = toList(clients);
    const providers = list.flatMap((client) => [...toProviders(client), ...(client.extraProviders ?? [])]);
    const imports = [...new Set(list.flatMap((client) => client.imports ?? []))];
    return { module: SealwireModule, global: isAnyGlobal(clients, ...list), imports, providers, exports: providers };
  }
}

function toProviders({ name, inject = [], useFactory, useClass, useExisting }: AsyncClientOptions): Provider[] {
  if ([useFactory, useClass, useExisting].filter((given) => given !== undefined).length !== 1) {
    const message = `Exactly one of useFactory, useClass and useExisting must be given for ${String(name)}`;
    throw new TransportError('ERR_BAD_OPTION', message);
  }
  if (useFactory !== undefined) {
    const create = async (...injected: never[]) => createClient(await useFactory(...injected));
    return [{ provide: name, inject, useFactory: create }];
  }
  if (useClass !== undefined) {
    return [
      { provide: name, inject: [useClass], useFactory: createBy },
      { provide: useClass, useClass },
    ];
  }
  return useExisting === undefined ? [] : [{ provide: name, inject: [useExisting], useFactory: createBy }];
}

async function createBy(factory: SealwireOptionsFactory): Promise<SealwireClient> {
  if (!hasMethod(factory, 'createClientOptions')) {
    const message = 'The options factory has no method createClientOptions(); add it, or use useFactory';
    throw new TransportError('ERR_BAD_OPTION', message);
  }
  return createClient(await factory.createClientOptions());
}

function createClient(made: MadeClientOptions): SealwireClient {
  return 'customClass' in made ? new made.customClass(made.options) : new SealwireClient(made);
}

function toList<Client extends object>(clients: Clients<Client>): readonly Client[] {
  if (isList(clients)) return clients;
  return 'clients' in clients ? clients.clients : [clients];
}

function isList<T>(one: T | readonly T[]): one is readonly T[] {
  return Array.isArray(one);
}

function isAnyGlobal(...marked: readonly object[]): boolean {
  return marked.some((one) => {
    checkOptions(one, { isGlobal: FLAG });
    return 'isGlobal' in one && one.isGlobal === true;
  });
}
