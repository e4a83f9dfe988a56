import { Module } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';

import { settings } from './config/registration.js';
import { ConsoleModule } from './console/console.module.js';
import { AddressModule } from './http/address.module.js';
import { HealthModule } from './health/health.module.js';
import { MetricsModule } from './metrics/metrics.module.js';
import { TriggerModule } from './trigger/trigger.module.js';

@Module({
  imports: [
    ConfigModule.forRoot({ isGlobal: true, ignoreEnvFile: true, load: [settings] }),
    TriggerModule,
    HealthModule,
    MetricsModule,
    ConsoleModule,
    AddressModule,
  ],
})
export class AppModule {}
