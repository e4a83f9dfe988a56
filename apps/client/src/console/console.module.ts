import { Module } from '@nestjs/common';

import { ChannelModule } from '../channel/channel.module.js';
import { HttpModule } from '../http/http.module.js';
import { TapModule } from '../tap/tap.module.js';
import { ChannelState } from './channel-state.js';
import { WireController } from './wire.controller.js';

/** The sources of the console page. */
@Module({
  imports: [ChannelModule, HttpModule, TapModule],
  controllers: [WireController],
  providers: [ChannelState],
})
export class ConsoleModule {}
