import { Module } from '@nestjs/common';

import { settings } from '../config/registration.js';
import type { Settings } from '../config/settings.js';
import { WireTap } from './wire-tap.js';

/** The wire tap; null if WIRE_TAP is off, so that nothing of it is on the path of messages. */
@Module({
  providers: [
    {
      provide: WireTap,
      inject: [settings.KEY],
      useFactory: ({ wireTap }: Settings): WireTap | null => (wireTap ? new WireTap() : null),
    },
  ],
  exports: [WireTap],
})
export class TapModule {}
