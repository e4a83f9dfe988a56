import { Module } from '@nestjs/common';
import type { KeySource } from '@sealwire/crypto';
import { CryptoModule, KEYRING } from '@sealwire/crypto/nest';
import { SealwireServer } from '@sealwire/transport';
import { LegacyServer } from '@sealwire/transport/legacy';

import { settings } from './config/registration.js';
import type { Settings } from './config/settings.js';

/** The default of the transport for all addresses together. */
const MAX_STRANGERS = 1_024;

/**
 * The encrypted channel: the key, which is generated if its file is missing, and the strategy that listens. Next to it the
 * legacy wire; null if it is off.
 */
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
    {
      provide: LegacyServer,
      inject: [settings.KEY, KEYRING],
      useFactory: ({ legacy }: Settings, channelKeyring: KeySource) =>
        legacy === undefined ? null : new LegacyServer({ ...legacy, channelKeyring }),
    },
  ],
  exports: [SealwireServer, LegacyServer, CryptoModule],
})
export class ChannelModule {}
