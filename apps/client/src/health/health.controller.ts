import type { ServerResponse } from 'node:http';

import { Catch, Controller, Get, Inject, ServiceUnavailableException, UseFilters } from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import { HealthCheck, HealthCheckService } from '@nestjs/terminus';
import type { HealthCheckResult } from '@nestjs/terminus';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { SealwireHealthIndicator } from '@sealwire/transport/terminus';

import { BrokerClient } from '../channel/broker-client.js';
import { CHANNEL } from '../channel/channel.js';
import type { Channel } from '../channel/channel.js';
import { sendJson } from '../http/json-reply.js';
import { BrokerHealthIndicator } from './broker-health-indicator.js';

/**
 * Answers a failed check in the format of Terminus, which monitors can parse, instead of the format of other failures.
 */
@Catch(ServiceUnavailableException)
class UnhealthyFilter implements ExceptionFilter<ServiceUnavailableException> {
  catch(error: ServiceUnavailableException, host: ArgumentsHost): void {
    const json = JSON.stringify(error.getResponse());
    sendJson(host.switchToHttp().getResponse<ServerResponse>(), json, error.getStatus());
  }
}

/** Answers 200 with the round trip if the server, or the broker, answers over the channel, otherwise 503. */
@ApiTags('health')
@UseFilters(UnhealthyFilter)
@Controller('health')
export class HealthController {
  /** The running check. Concurrent requests share it: they need no token, so they must not cause one PING each. */
  #running: Promise<HealthCheckResult> | undefined;

  constructor(
    @Inject(HealthCheckService) private readonly health: HealthCheckService,
    @Inject(SealwireHealthIndicator) private readonly indicator: SealwireHealthIndicator,
    @Inject(BrokerHealthIndicator) private readonly brokers: BrokerHealthIndicator,
    @Inject(CHANNEL) private readonly channel: Channel,
  ) {}

  @Get()
  @HealthCheck()
  @ApiOperation({ summary: 'The health of this app, with the round trip to the server or the broker' })
  check(): Promise<HealthCheckResult> {
    this.#running ??= this.ping().finally(() => (this.#running = undefined));
    return this.#running;
  }

  private ping(): Promise<HealthCheckResult> {
    const { channel } = this;
    return this.health.check([
      () =>
        channel instanceof BrokerClient
          ? this.brokers.pingCheck('channel', channel)
          : this.indicator.pingCheck('channel', channel),
    ]);
  }
}
