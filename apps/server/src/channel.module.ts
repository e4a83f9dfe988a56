import { Module } from '@nestjs/common';
import type { Keyring } from '@sealwire/crypto';
import { CryptoModule, KEYRING } from '@sealwire/crypto/nest';
import { SealwireServer } from '@sealwire/transport';

import { settings } from './config/settings.js';
import type { Settings } from './config/settings.js';

/** The encrypted channel: the key, made where it is missing, and the strategy that listens. */
@Module({
  imports: [
    CryptoModule.forRootAsync({
      inject: [settings.KEY],
      useFactory: ({ keyFile, keyPolicy }: Settings) => ({ keyFile, policy: keyPolicy, generate: true }),
    }),
  ],
  providers: [
    {
      provide: SealwireServer,
      inject: [settings.KEY, KEYRING],
      useFactory: ({ listen, service }: Settings, keyring: Keyring) =>
        new SealwireServer({ ...listen, keyring, service, keepSealedRecord: true }),
    },
  ],
  exports: [SealwireServer, CryptoModule],
})
export class ChannelModule {}
