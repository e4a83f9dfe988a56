import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { SealwireHealthIndicator } from '@sealwire/transport/terminus';

import { ChannelModule } from '../channel/channel.module.js';
import { BrokerHealthIndicator } from './broker-health-indicator.js';
import { HealthController } from './health.controller.js';

@Module({
  imports: [TerminusModule.forRoot({ logger: false }), ChannelModule],
  controllers: [HealthController],
  providers: [SealwireHealthIndicator, BrokerHealthIndicator],
})
export class HealthModule {}
