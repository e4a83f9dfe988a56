import { Module } from '@nestjs/common';
import type { KeySource } from '@sealwire/crypto';
import { CryptoModule, KEYRING } from '@sealwire/crypto/nest';
import { SealwireServer } from '@sealwire/transport';

import { settings } from './config/registration.js';
import type { Settings } from './config/settings.js';

/** The default of the transport for all addresses together. */
const MAX_STRANGERS = 1_024;

/** The encrypted channel: the key, which is generated if its file is missing, and the strategy that listens. */
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
      useFactory: ({ listen, service, maxStrangersPerAddress }: Settings, keyring: KeySource) => {
        const maxStrangers = Math.max(MAX_STRANGERS, maxStrangersPerAddress);
        const limits = { maxStrangers, maxStrangersPerAddress };
        return new SealwireServer({ ...listen, limits, keyring, service, keepSealedRecord: true });
      },
    },
  ],
  exports: [SealwireServer, CryptoModule],
})
export class ChannelModule {}
