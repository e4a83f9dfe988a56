import { Inject, Logger, Module } from '@nestjs/common';
import type { OnApplicationBootstrap } from '@nestjs/common';
import { ClientProxy } from '@nestjs/microservices';
import type { KeySource } from '@sealwire/crypto';
import { CryptoModule, KEYRING } from '@sealwire/crypto/nest';
import { SealwireModule } from '@sealwire/transport';

import { CHANNEL } from './channel.js';
import { settings } from './config/registration.js';
import type { Settings } from './config/settings.js';
import { MAX_MESSAGE_BYTES } from './trigger/body.js';

/** The encrypted channel to the server app. It connects at the start, and again with a call after a loss. */
@Module({
  imports: [
    CryptoModule.forRootAsync({
      isGlobal: true,
      inject: [settings.KEY],
      useFactory: ({ keyFile, keyPolicy }: Settings) => ({ keyFile, policy: keyPolicy }),
    }),
    SealwireModule.registerAsync({
      name: CHANNEL,
      inject: [settings.KEY, KEYRING],
      useFactory: ({ server, service, connectTimeoutMs }: Settings, keyring: KeySource) => ({
        ...server,
        keyring,
        service,
        timeouts: { connectMs: connectTimeoutMs },
        limits: { maxMessageBytes: MAX_MESSAGE_BYTES },
      }),
    }),
  ],
  exports: [SealwireModule],
})
export class ChannelModule implements OnApplicationBootstrap {
  readonly #logger = new Logger('Channel');

  constructor(@Inject(CHANNEL) private readonly channel: ClientProxy) {}

  /** Logs a wrong key or address at the start. The app starts anyway, because the server may start later. */
  onApplicationBootstrap(): void {
    this.channel.connect().then(
      () => this.#logger.log('Connected to the server'),
      (error: unknown) => this.#logger.warn(`Not connected yet; the next call tries again: ${String(error)}`),
    );
  }
}
