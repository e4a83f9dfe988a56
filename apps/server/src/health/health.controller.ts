import { Controller, Get, Inject } from '@nestjs/common';
import { HealthCheck, HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import type { HealthCheckResult } from '@nestjs/terminus';
import { SealwireServer } from '@sealwire/transport';

/** Answers 200 if the channel accepts connections, otherwise 503. */
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
    return this.health.check([() => this.indicator.check('channel').attempt(() => this.assertListening())]);
  }

  private assertListening(): void {
    if (!this.channel.unwrap().listening) throw new Error('The channel does not accept connections');
  }
}
