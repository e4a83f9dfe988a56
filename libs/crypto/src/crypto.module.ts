import { ConfigurableModuleBuilder, Inject, Injectable, Logger, Module } from '@nestjs/common';

import { loadKeyring } from './key-file/load.js';
import type { KeyFilePolicy } from './key-file/policy.js';
import type { Keyring } from './keys/keyring.js';

export interface CryptoModuleOptions {
  /** Path of the key file, read once at start-up. */
  readonly keyFile: string;
  /** Creates the key file with mode 0600 if it is missing. Default: `false`. */
  readonly generate?: boolean | undefined;
  /** The owners and modes that the key file may have. Default: `strict`. */
  readonly policy?: KeyFilePolicy | undefined;
}

/** Injection token of the process-wide {@link Keyring}. */
export const KEYRING = Symbol.for('@sealwire/crypto/KEYRING');

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<CryptoModuleOptions>()
  .setClassMethodName('forRoot')
  .setExtras({ isGlobal: false }, (definition, { isGlobal }) => ({ ...definition, global: isGlobal }))
  .build();

/** Loads {@link KEYRING}. Override this provider to take the keys from another source. */
@Injectable()
export class KeyFileProvider {
  readonly #options: CryptoModuleOptions;
  readonly #logger = new Logger(KeyFileProvider.name);

  constructor(@Inject(MODULE_OPTIONS_TOKEN) options: CryptoModuleOptions) {
    this.#options = options;
  }

  /** @throws {CryptoError} `ERR_KEY_FILE_…`, or the `ERR_KEY_…` of a weak key; the message names the remedy. */
  load(): Promise<Keyring> {
    const { keyFile, generate, policy } = this.#options;
    return loadKeyring(keyFile, { generate, policy, warn: (message) => this.#logger.warn(message) });
  }
}

/** Provides {@link KEYRING}. The application does not start if the key file is missing, exposed or weak. */
@Module({
  providers: [
    KeyFileProvider,
    { provide: KEYRING, inject: [KeyFileProvider], useFactory: (file: KeyFileProvider) => file.load() },
  ],
  exports: [KEYRING, KeyFileProvider],
})
export class CryptoModule extends ConfigurableModuleClass {}
