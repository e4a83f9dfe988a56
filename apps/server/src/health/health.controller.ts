import { Controller, Get, Inject } from '@nestjs/common';
import { HealthCheck, HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import type { HealthCheckResult, HealthIndicatorResult } from '@nestjs/terminus';
import type { KeySource } from '@sealwire/crypto';
import { KEYRING } from '@sealwire/crypto/nest';
import { LegacyServer } from '@sealwire/transport/legacy';

import { CHANNEL } from '../channel/channel.js';
import type { Channel } from '../channel/channel.js';
import { isListening } from '../is-listening.js';

/**
 * Answers 200 if messages can arrive, otherwise 503: also if no key may be used, because no connection can begin then.
 * `keysError` says why changed keys were not loaded; `legacy: closed`, that the legacy wire has closed.
 */
@Controller('health')
export class HealthController {
  constructor(
    @Inject(HealthCheckService) private readonly health: HealthCheckService,
    @Inject(HealthIndicatorService) private readonly indicator: HealthIndicatorService,
    @Inject(CHANNEL) private readonly channel: Channel,
    @Inject(KEYRING) private readonly keys: KeySource,
    @Inject(LegacyServer) private readonly legacy: LegacyServer | null,
  ) {}

  @Get()
  @HealthCheck()
  check(): Promise<HealthCheckResult> {
    return this.health.check([() => this.checkChannel()]);
  }

  private checkChannel(): HealthIndicatorResult<'channel'> {
    const check = this.indicator.check('channel');
    if (!this.channel.isUp) return check.down('The channel does not accept connections');
    const { ids, error } = this.keys.status ?? {};
    if (ids?.length === 0)
      return check.down('No key may be used now, so no message can arrive; the log has the remedy');
    return check.up({
      ...(error !== undefined && { keysError: error.code }),
      ...(this.legacy !== null && !isListening(this.legacy) && { legacy: 'closed' }),
    });
  }
}
