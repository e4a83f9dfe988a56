import { Module } from '@nestjs/common';
import { Metrics } from '@sealwire/app';
import type { KeySource } from '@sealwire/crypto';
import { CryptoModule, KEYRING } from '@sealwire/crypto/nest';
import { LegacyServer } from '@sealwire/transport/legacy';

import { settings } from '../config/registration.js';
import type { Settings } from '../config/settings.js';
import { MetricsModule } from '../metrics/metrics.module.js';
import { BrokerChannel } from './broker-channel.js';
import { CHANNEL } from './channel.js';
import type { Channel } from './channel.js';
import { DirectChannel } from './direct-channel.js';

/**
 * The encrypted channel: the key, which is generated if its file is missing, and the strategy that receives. Next to it the
 * legacy wire; null if it is off.
 */
@Module({
  imports: [
    CryptoModule.forRootAsync({
      imports: [MetricsModule],
      inject: [settings.KEY, Metrics], // the metrics first, because they count how the keys are loaded
      useFactory: ({ keyFile, keyPolicy }: Settings) => ({ keyFile, policy: keyPolicy, generate: true }),
    }),
  ],
  providers: [
    {
      provide: CHANNEL,
      inject: [settings.KEY, KEYRING],
      useFactory: (config: Settings, keyring: KeySource): Channel =>
        config.broker === undefined
          ? new DirectChannel(config, keyring)
          : new BrokerChannel(config.broker, config, keyring),
    },
    {
      provide: LegacyServer,
      inject: [settings.KEY, KEYRING],
      useFactory: ({ legacy }: Settings, channelKeyring: KeySource) =>
        legacy === undefined ? null : new LegacyServer({ ...legacy, channelKeyring }),
    },
  ],
  exports: [CHANNEL, LegacyServer, CryptoModule],
})
export class ChannelModule {}
