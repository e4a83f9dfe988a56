import { Module } from '@nestjs/common';
import type { DynamicModule, ForwardReference, OnModuleDestroy, Type } from '@nestjs/common';

/** A server, or whatever else has to finish first. */
interface Drainable {
  close(): Promise<void>;
}

/**
 * A root module around an application's own, that drains `server` before any module lets go of what handlers need.
 * Nest by itself destroys the modules first: requests still arrive when the database is closed already.
 *
 * `NestFactory.createMicroservice(drainFirst(AppModule, strategy), { strategy })`, and the same with `NestFactory.create`
 * for a hybrid application; either needs `app.enableShutdownHooks()` to hear of signals.
 */
export function drainFirst(root: Type | DynamicModule | ForwardReference, server: Drainable): DynamicModule {
  class DrainFirst implements OnModuleDestroy {
    async onModuleDestroy(): Promise<void> {
      await server.close();
    }
  }
  Module({})(DrainFirst);
  return { module: DrainFirst, imports: [root] };
}
