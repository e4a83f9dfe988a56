import { setTimeout as delay } from 'node:timers/promises';

import { Controller } from '@nestjs/common';
import type { INestMicroservice } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { drainFirst, SealwireServer } from '@sealwire/transport';

import { rootModule } from './application.js';
import { keyring } from './pair.js';

const SLOW_MS = 50;

export interface WorkApplication {
  readonly app: INestMicroservice;
  readonly server: SealwireServer;
}

/**
 * An application of this process that does what a `Load` asks for, as test/processes/fixtures/serving-app.mjs does in another.
 *
 * @param port - 0 takes a free one.
 * @param handled - Is given the data of each event.
 */
export async function startWork(port: number, handled: unknown[]): Promise<WorkApplication> {
  @Controller()
  class WorkController {
    @MessagePattern('echo')
    echo(@Payload() id: unknown): unknown {
      return id;
    }

    @MessagePattern('slow')
    async slow(@Payload() id: unknown): Promise<unknown> {
      await delay(SLOW_MS);
      return id;
    }

    @EventPattern('count')
    count(@Payload() event: unknown): void {
      handled.push(event);
    }
  }

  const server = new SealwireServer({ port, keyring });
  const root = drainFirst(rootModule({ controllers: [WorkController] }), server);
  const options = { strategy: server, logger: false } as const;
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(root, options);
  await app.listen();
  return { app, server };
}
