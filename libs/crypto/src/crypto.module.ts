import { ConfigurableModuleBuilder, Inject, Injectable, Logger, Module } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';

import type { KeyFilePolicy } from './key-file/policy.js';
import { WatchedKeyFile } from './key-watch/watched-key-file.js';

/** The key file of the module. */
export interface CryptoModuleOptions {
  /** The path of the key file. It is read at start-up, and again after each change until the application shuts down. */
  readonly keyFile: string;
  /** Whether to create the key file, with mode 0600, if it is missing. Default: `false`. */
  readonly generate?: boolean | undefined;
  /** The owners and modes that the key file may have. Default: `strict`. */
  readonly policy?: KeyFilePolicy | undefined;
}

/** Injection token of the keys of the process, a {@link WatchedKeyFile}. */
export const KEYRING = Symbol.for('@sealwire/crypto/KEYRING');

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<CryptoModuleOptions>()
  .setClassMethodName('forRoot')
  .setExtras({ isGlobal: false }, (definition, { isGlobal }) => ({ ...definition, global: isGlobal }))
  .build();

/** Loads {@link KEYRING}. Override this provider to take the keys from another source. */
@Injectable()
export class KeyFileProvider implements OnApplicationShutdown {
  readonly #options: CryptoModuleOptions;
  readonly #logger = new Logger(KeyFileProvider.name);
  readonly #open = new Set<WatchedKeyFile>();

  constructor(@Inject(MODULE_OPTIONS_TOKEN) options: CryptoModuleOptions) {
    this.#options = options;
  }

  /** @throws {CryptoError} `ERR_KEY_FILE_…`, `ERR_KEYRING_…`, or the `ERR_KEY_…` of a weak key; the message names the remedy. */
  async load(): Promise<WatchedKeyFile> {
    const { keyFile, generate, policy } = this.#options;
    const keys = await WatchedKeyFile.open(keyFile, {
      generate,
      policy,
      warn: (message) => this.#logger.warn(message),
      log: (message) => this.#logger.log(message),
    });
    this.#open.add(keys);
    return keys;
  }

  /** Stops watching the key files. Called by Nest after the connections have closed. */
  onApplicationShutdown(): void {
    for (const keys of this.#open) keys.close();
    this.#open.clear();
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
