import { Controller, Logger, Module } from '@nestjs/common';
import { EventPattern, Payload, RpcException } from '@nestjs/microservices';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { lastValueFrom } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';

import { SealwireServer } from '../../libs/transport/src/index.js';
import { endAll, keyring, newClient, portOf } from '../support/pair.js';

@Controller()
class FailingController {
  @EventPattern('throws')
  throws(@Payload() _data: unknown): void {
    throw new Error('a defect');
  }

  @EventPattern('refuses')
  refuses(@Payload() _data: unknown): void {
    throw new RpcException('not today');
  }
}

@Module({ controllers: [FailingController] })
class FailingModule {}

const errors: unknown[] = [];
const lines = {
  log: () => undefined,
  warn: () => undefined,
  error: (message: unknown) => errors.push(message),
};

afterEach(async () => {
  await endAll();
  Logger.overrideLogger(false);
});

describe('an event whose handler fails', () => {
  it.each([
    ['throws', 'a defect'],
    ['refuses', 'not today'],
  ])('is acknowledged, and logged once: it %s', async (pattern, message) => {
    const server = new SealwireServer({ port: 0, keyring });
    const module = await Test.createTestingModule({ imports: [FailingModule] }).compile();
    const app = module.createNestMicroservice<MicroserviceOptions>({ strategy: server });
    await app.listen();
    Logger.overrideLogger(lines);
    errors.length = 0;
    await lastValueFrom(newClient(portOf(server)).emit(pattern, 1), { defaultValue: undefined });
    await expect.poll(() => errors.length).toBeGreaterThan(0);
    await app.close();
    expect(errors.map((error) => (error instanceof Error ? error.message : error))).toEqual([message]);
  });
});
