import { Inject, Logger, Module } from '@nestjs/common';
import type { OnApplicationBootstrap } from '@nestjs/common';
import { Metrics } from '@sealwire/app';
import type { SealedNatsOptions } from '@sealwire/brokers';
import type { KeySource } from '@sealwire/crypto';
import { CryptoModule, KEYRING } from '@sealwire/crypto/nest';
import type { SealwireClientOptions } from '@sealwire/transport';

import { settings } from '../config/registration.js';
import type { Settings } from '../config/settings.js';
import { MetricsModule } from '../metrics/metrics.module.js';
import { TapModule } from '../tap/tap.module.js';
import { TappedBrokerClient } from '../tap/tapped-broker-client.js';
import { TappedClient } from '../tap/tapped-client.js';
import { WireTap } from '../tap/wire-tap.js';
import { BrokerClient } from './broker-client.js';
import { brokerOptions, directOptions } from './channel-options.js';
import { CHANNEL } from './channel.js';
import type { Channel } from './channel.js';
import { DirectClient } from './direct-client.js';

/**
 * The encrypted channel to the server app, over a connection of its own or a broker. It connects at the start, and again with
 * a call after a loss.
 */
@Module({
  imports: [
    TapModule,
    CryptoModule.forRootAsync({
      isGlobal: true,
      imports: [MetricsModule],
      inject: [settings.KEY, Metrics], // the metrics first, because they count how the keys are loaded
      useFactory: ({ keyFile, keyPolicy }: Settings) => ({ keyFile, policy: keyPolicy }),
    }),
  ],
  providers: [
    {
      provide: CHANNEL,
      inject: [settings.KEY, KEYRING, WireTap],
      useFactory: (config: Settings, keyring: KeySource, tap: WireTap | null): Channel =>
        config.broker === undefined
          ? directClient(directOptions(config, keyring), tap)
          : brokerClient(brokerOptions(config.broker, config, keyring), tap),
    },
  ],
  exports: [CHANNEL],
})
export class ChannelModule implements OnApplicationBootstrap {
  readonly #logger = new Logger('Channel');

  constructor(@Inject(CHANNEL) private readonly channel: Channel) {}

  /** Logs a wrong key or address at the start. The app starts anyway, because the server may start later. */
  onApplicationBootstrap(): void {
    this.channel.connect().then(
      () => this.#logger.log('Connected to the server'),
      (error: unknown) => this.#logger.warn(`Not connected yet: ${String(error)}; the next call tries again`),
    );
  }
}

function directClient(options: SealwireClientOptions, tap: WireTap | null): DirectClient {
  return tap === null ? new DirectClient(options) : new TappedClient(options, tap);
}

function brokerClient(options: SealedNatsOptions, tap: WireTap | null): BrokerClient {
  return tap === null ? new BrokerClient(options) : new TappedBrokerClient(options, tap);
}
