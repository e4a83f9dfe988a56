import { Controller, Get, Header, Inject } from '@nestjs/common';
import { Metrics, METRICS_TYPE } from '@sealwire/app';

/** The metrics for Prometheus. They have no texts of messages and no keys. */
@Controller('metrics')
export class MetricsController {
  constructor(@Inject(Metrics) private readonly metrics: Metrics) {}

  @Get()
  @Header('content-type', METRICS_TYPE)
  read(): Promise<string> {
    return this.metrics.read();
  }
}
