import { Inject, Logger, Module } from '@nestjs/common';
import type { OnApplicationBootstrap } from '@nestjs/common';
import { Metrics } from '@sealwire/app';
import type { KeySource } from '@sealwire/crypto';
import { CryptoModule, KEYRING } from '@sealwire/crypto/nest';
import { SealwireClient } from '@sealwire/transport';

import { settings } from '../config/registration.js';
import type { Settings } from '../config/settings.js';
import { MetricsModule } from '../metrics/metrics.module.js';
import { MAX_MESSAGE_BYTES } from '../trigger/body.js';
import { BrokerClient } from './broker-client.js';
import { CHANNEL } from './channel.js';
import type { Channel } from './channel.js';

/**
 * The encrypted channel to the server app, over a connection of its own or a broker. It connects at the start, and again with
 * a call after a loss.
 */
@Module({
  imports: [
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
      inject: [settings.KEY, KEYRING],
      useFactory: (config: Settings, keyring: KeySource): Channel =>
        config.broker === undefined ? directClient(config, keyring) : brokerClient(config.broker, config, keyring),
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

function directClient({ server, service, connectTimeoutMs }: Settings, keyring: KeySource): SealwireClient {
  const limits = { maxMessageBytes: MAX_MESSAGE_BYTES };
  return new SealwireClient({ ...server, keyring, service, timeouts: { connectMs: connectTimeoutMs }, limits });
}

function brokerClient(urls: readonly string[], { service, connectTimeoutMs }: Settings, keyring: KeySource) {
  return new BrokerClient({ servers: [...urls], timeout: connectTimeoutMs, seal: { keyring, service } });
}
