import type { ServerResponse } from 'node:http';

import { Catch, Controller, Get, Inject, ServiceUnavailableException, UseFilters } from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import { ClientProxy } from '@nestjs/microservices';
import { HealthCheck, HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import type { HealthCheckResult } from '@nestjs/terminus';
import { ApiTags } from '@nestjs/swagger';
import { SkipThrottle } from '@nestjs/throttler';

import { CHANNEL } from '../channel.js';
import { sendJson } from '../http/json-reply.js';

/** Answers in Terminus' own format, which monitors know, and not as other failures. */
@Catch(ServiceUnavailableException)
class UnhealthyFilter implements ExceptionFilter<ServiceUnavailableException> {
  catch(error: ServiceUnavailableException, host: ArgumentsHost): void {
    const json = JSON.stringify(error.getResponse());
    sendJson(host.switchToHttp().getResponse<ServerResponse>(), json, error.getStatus());
  }
}

/** Healthy is a client app that has a connection to the server, or gets one: 200, otherwise 503. */
@ApiTags('health')
@SkipThrottle()
@UseFilters(UnhealthyFilter)
@Controller('health')
export class HealthController {
  constructor(
    @Inject(HealthCheckService) private readonly health: HealthCheckService,
    @Inject(HealthIndicatorService) private readonly indicator: HealthIndicatorService,
    @Inject(CHANNEL) private readonly channel: ClientProxy,
  ) {}

  @Get()
  @HealthCheck()
  check(): Promise<HealthCheckResult> {
    return this.health.check([() => this.indicator.check('channel').attempt(() => this.channel.connect())]);
  }
}
