import { Module } from '@nestjs/common';

import { ChannelModule } from '../channel/channel.module.js';
import { HttpModule } from '../http/http.module.js';
import { TapModule } from '../tap/tap.module.js';
import { ChannelState } from './channel-state.js';
import { AttackController } from './attacks/attack.controller.js';
import { AttackPlayer } from './attacks/attack-player.js';
import { PageController } from './page.controller.js';
import { WireController } from './wire.controller.js';

/** The console page at `/`, and its sources. */
@Module({
  imports: [ChannelModule, HttpModule, TapModule],
  // In this order, because `console/:name` matches the other addresses too.
  controllers: [WireController, AttackController, PageController],
  providers: [AttackPlayer, ChannelState],
})
export class ConsoleModule {}
