import type { ServerResponse } from 'node:http';

import { Catch, Controller, Get, Inject, ServiceUnavailableException, UseFilters } from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import { HealthCheck, HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import type { HealthCheckResult, HealthIndicatorResult } from '@nestjs/terminus';
import { ApiTags } from '@nestjs/swagger';
import { SealwireHealthIndicator } from '@sealwire/transport/terminus';

import { BrokerClient } from '../channel/broker-client.js';
import { CHANNEL } from '../channel/channel.js';
import type { Channel } from '../channel/channel.js';
import { toFailureBody } from '../http/failure/failure-body.js';
import { sendJson } from '../http/json-reply.js';

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
    @Inject(HealthIndicatorService) private readonly brokers: HealthIndicatorService,
    @Inject(CHANNEL) private readonly channel: Channel,
  ) {}

  @Get()
  @HealthCheck()
  check(): Promise<HealthCheckResult> {
    this.#running ??= this.ping().finally(() => (this.#running = undefined));
    return this.#running;
  }

  private ping(): Promise<HealthCheckResult> {
    const { channel } = this;
    return this.health.check([
      () => (channel instanceof BrokerClient ? this.pingBroker(channel) : this.indicator.pingCheck('channel', channel)),
    ]);
  }

  /** Checks the connection to the broker. The broker answers, not a server: only a call shows whether there is one. */
  private async pingBroker(client: BrokerClient): Promise<HealthIndicatorResult<'channel'>> {
    const check = this.brokers.check('channel');
    try {
      return check.up({ roundTripMs: await client.ping() });
    } catch (error) {
      const { code, message } = toFailureBody(error);
      return check.down({ code, message });
    }
  }
}
