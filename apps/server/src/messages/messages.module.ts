import { Module } from '@nestjs/common';

import { MetricsModule } from '../metrics/metrics.module.js';
import { CountdownController } from './countdown/countdown.controller.js';
import { CountersController } from './counters/counters.controller.js';
import { EchoController } from './echo/echo.controller.js';
import { MessageLog } from './message-log.js';
import { MessageController } from './message/message.controller.js';
import { MessageService } from './message/message.service.js';
import { NoticeController } from './notice/notice.controller.js';

/** All handlers. To add one: `npm run new:handler NAME`, or a folder next to these and its class here. */
@Module({
  imports: [MetricsModule],
  controllers: [CountdownController, CountersController, EchoController, MessageController, NoticeController],
  providers: [MessageLog, MessageService],
  exports: [MessageService],
})
export class MessagesModule {}
