import { Module } from '@nestjs/common';
import type { DynamicModule, ForwardReference, OnModuleDestroy, Type } from '@nestjs/common';

/** A server, or anything else that must close first. */
interface Drainable {
  close(): Promise<void>;
}

/**
 * Wraps the root module of an application so that `server` drains before any module is destroyed. Without it Nest destroys
 * the modules first, and requests still arrive when, for example, the database is closed.
 *
 * `NestFactory.createMicroservice(drainFirst(AppModule, strategy), { strategy })`, and the same with `NestFactory.create`
 * for a hybrid application. Both need `app.enableShutdownHooks()` to close on a signal.
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
