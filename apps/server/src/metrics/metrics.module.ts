import { Module } from '@nestjs/common';
import { Metrics } from '@sealwire/app';

import { MetricsController } from './metrics.controller.js';

@Module({ controllers: [MetricsController], providers: [Metrics], exports: [Metrics] })
export class MetricsModule {}
