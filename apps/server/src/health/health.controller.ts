import { Controller, Get, Inject } from '@nestjs/common';
import { HealthCheck, HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import type { HealthCheckResult, HealthIndicatorResult } from '@nestjs/terminus';
import { SealwireServer } from '@sealwire/transport';

/** Answers 200 if the channel accepts connections, otherwise 503. `keysError` says why changed keys were not loaded. */
@Controller('health')
export class HealthController {
  constructor(
    @Inject(HealthCheckService) private readonly health: HealthCheckService,
    @Inject(HealthIndicatorService) private readonly indicator: HealthIndicatorService,
    @Inject(SealwireServer) private readonly channel: SealwireServer,
  ) {}

  @Get()
  @HealthCheck()
  check(): Promise<HealthCheckResult> {
    return this.health.check([() => this.checkChannel()]);
  }

  private checkChannel(): HealthIndicatorResult<'channel'> {
    const check = this.indicator.check('channel');
    if (!this.isListening()) return check.down('The channel does not accept connections');
    const error = this.channel.snapshot().keys?.error;
    return error === undefined ? check.up() : check.up({ keysError: error.code });
  }

  private isListening(): boolean {
    try {
      return this.channel.unwrap().listening;
    } catch {
      return false; // it has not listened yet, or was closed
    }
  }
}
