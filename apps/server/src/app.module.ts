import { Inject, Module } from '@nestjs/common';
import type { OnModuleDestroy } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { APP_PIPE } from '@nestjs/core';

import { CHANNEL } from './channel/channel.js';
import type { Channel } from './channel/channel.js';
import { ChannelModule } from './channel/channel.module.js';
import { settings } from './config/registration.js';
import { HealthModule } from './health/health.module.js';
import { MessagesModule } from './messages/messages.module.js';
import { MetricsModule } from './metrics/metrics.module.js';
import { PayloadPipe } from './messages/payload.pipe.js';

@Module({
  imports: [
    ConfigModule.forRoot({ isGlobal: true, ignoreEnvFile: true, load: [settings] }),
    ChannelModule,
    MessagesModule,
    HealthModule,
    MetricsModule,
  ],
  providers: [{ provide: APP_PIPE, useClass: PayloadPipe }],
})
export class AppModule implements OnModuleDestroy {
  constructor(@Inject(CHANNEL) private readonly channel: Channel) {}

  /** Drains the channel before Nest destroys the modules that its handlers may still use. */
  async onModuleDestroy(): Promise<void> {
    await this.channel.strategy.close();
  }
}
