import { Module } from '@nestjs/common';
import type { INestMicroservice, ModuleMetadata, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { SealwireServer } from '@sealwire/transport';
import type { SealwireClient, SealwireServerOptions } from '@sealwire/transport';
import { lastValueFrom, toArray } from 'rxjs';
import type { Observable } from 'rxjs';

import { endLater, keyring, newClient, portOf } from './pair.js';

export interface ApplicationOptions extends ModuleMetadata {
  readonly server?: Partial<SealwireServerOptions>;
  /** What main.ts does before it listens. */
  readonly configure?: (app: INestMicroservice, server: SealwireServer) => void;
}

export interface Application {
  readonly app: INestMicroservice;
  readonly server: SealwireServer;
  /** Not connected yet. */
  readonly client: SealwireClient;
}

/** A whole Nest application on a Sealwire server, and a client of it. `endAll` ends both. */
export async function startApplication({ server: options, configure, ...metadata }: ApplicationOptions) {
  const server = newServer(options);
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(rootModule(metadata), {
    strategy: server,
    logger: false,
    abortOnError: false,
  });
  configure?.(app, server);
  await app.listen();
  endLater(app);
  return { app, server, client: newClient(portOf(server)) } satisfies Application;
}

export function newServer(options: Partial<SealwireServerOptions> = {}): SealwireServer {
  return new SealwireServer({ port: 0, keyring, drainTimeoutMs: 200, ...options });
}

export function rootModule(metadata: ModuleMetadata): Type {
  class RootModule {}
  Module(metadata)(RootModule);
  return RootModule;
}

/** The last value, or what it fails with. */
export function outcome(values: Observable<unknown>): Promise<unknown> {
  return lastValueFrom(values).catch((error: unknown) => error);
}

export function all<T>(values: Observable<T>): Promise<T[]> {
  return lastValueFrom(values.pipe(toArray()));
}

/** Resolves when the server has the event. */
export async function arrived(event: Observable<unknown>): Promise<void> {
  await lastValueFrom(event, { defaultValue: undefined });
}
