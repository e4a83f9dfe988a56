import { Controller, Get, Inject } from '@nestjs/common';
import { HealthCheck, HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import type { HealthCheckResult, HealthIndicatorResult } from '@nestjs/terminus';
import { SealwireServer } from '@sealwire/transport';
import { LegacyServer } from '@sealwire/transport/legacy';

/**
 * Answers 200 if the channel accepts connections, otherwise 503. `keysError` says why changed keys were not loaded;
 * `legacy: closed`, that the legacy wire has closed.
 */
@Controller('health')
export class HealthController {
  constructor(
    @Inject(HealthCheckService) private readonly health: HealthCheckService,
    @Inject(HealthIndicatorService) private readonly indicator: HealthIndicatorService,
    @Inject(SealwireServer) private readonly channel: SealwireServer,
    @Inject(LegacyServer) private readonly legacy: LegacyServer | null,
  ) {}

  @Get()
  @HealthCheck()
  check(): Promise<HealthCheckResult> {
    return this.health.check([() => this.checkChannel()]);
  }

  private checkChannel(): HealthIndicatorResult<'channel'> {
    const check = this.indicator.check('channel');
    if (!isListening(this.channel)) return check.down('The channel does not accept connections');
    const error = this.channel.snapshot().keys?.error;
    return check.up({
      ...(error !== undefined && { keysError: error.code }),
      ...(this.legacy !== null && !isListening(this.legacy) && { legacy: 'closed' }),
    });
  }
}

function isListening(server: SealwireServer | LegacyServer): boolean {
  try {
    return server.unwrap().listening;
  } catch {
    return false; // it has not listened yet, or was closed
  }
}
