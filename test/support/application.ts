import { Controller, Logger, Module } from '@nestjs/common';
import type { INestMicroservice, ModuleMetadata, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessagePattern, Payload } from '@nestjs/microservices';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { SealwireModule, SealwireServer } from '@sealwire/transport';
import type { SealwireClient, SealwireClientOptions, SealwireServerOptions } from '@sealwire/transport';
import { lastValueFrom, toArray } from 'rxjs';
import type { Observable } from 'rxjs';

import { endLater, keyring, patient, portOf } from './pair.js';

export interface ApplicationOptions extends ModuleMetadata {
  readonly server?: Partial<SealwireServerOptions>;
  readonly client?: Partial<SealwireClientOptions>;
  /** The steps of main.ts before it listens. */
  readonly configure?: (app: INestMicroservice, server: SealwireServer) => void;
}

export interface Application {
  readonly app: INestMicroservice;
  readonly server: SealwireServer;
  /** Not connected yet. */
  readonly client: SealwireClient;
}

@Controller()
export class EchoController {
  @MessagePattern('echo')
  echo(@Payload() value: unknown): unknown {
    return value;
  }
}

/** A whole Nest application on a Sealwire server, and a client of it in another. `endAll` ends both. */
export async function startApplication({ server: options, client, configure, ...metadata }: ApplicationOptions) {
  const server = newServer(options);
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(rootModule(metadata), {
    strategy: server,
    logger: false,
    abortOnError: false,
  });
  configure?.(app, server);
  await app.listen();
  endLater(app);
  return { app, server, client: await startCaller(portOf(server), client) } satisfies Application;
}

/** The client of an application that has no more than that. `endAll` ends it. */
export async function startCaller(port: number, options: Partial<SealwireClientOptions> = {}): Promise<SealwireClient> {
  const imports = [SealwireModule.register({ name: 'CALLER', port, keyring, ...patient(options) })];
  const app = await NestFactory.createApplicationContext(rootModule({ imports }), { logger: false });
  endLater(app);
  return app.get<SealwireClient>('CALLER');
}

export function newServer(options: Partial<SealwireServerOptions> = {}): SealwireServer {
  return new SealwireServer({ port: 0, keyring, ...patient(options) });
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

/** The warnings of both ends, from when their applications have been started: starting one sets a logger. */
export function listenToWarnings(): string[] {
  const warnings: string[] = [];
  const quiet = (): void => undefined;
  Logger.overrideLogger({ log: quiet, error: quiet, warn: (line: unknown) => warnings.push(String(line)) });
  return warnings;
}
