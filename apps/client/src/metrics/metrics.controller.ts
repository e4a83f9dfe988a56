import { Controller, Get, Header, Inject, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import { Metrics, METRICS_TYPE } from '@sealwire/app';

import { CallerGuard } from '../trigger/caller.guard.js';

/** The metrics for Prometheus, which name patterns and servers: they need the token, as calls do. */
@ApiTags('metrics')
@ApiBearerAuth()
@UseGuards(CallerGuard)
@Controller('metrics')
export class MetricsController {
  constructor(@Inject(Metrics) private readonly metrics: Metrics) {}

  @Get()
  @Header('content-type', METRICS_TYPE)
  @ApiOperation({ summary: 'The metrics of this app, as text for Prometheus' })
  @ApiProduces('text/plain')
  read(): Promise<string> {
    return this.metrics.read();
  }
}
