import { Module } from '@nestjs/common';

import { ChannelModule } from '../channel/channel.module.js';
import { HttpModule } from '../http/http.module.js';
import { TrafficLog } from './traffic-log.js';
import { TriggerController } from './trigger.controller.js';
import { TriggerService } from './trigger.service.js';

@Module({
  imports: [ChannelModule, HttpModule],
  controllers: [TriggerController],
  providers: [TrafficLog, TriggerService],
})
export class TriggerModule {}
