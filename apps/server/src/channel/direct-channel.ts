import type { INestMicroservice } from '@nestjs/common';
import { boundAddress, listenFailed, shownAddress } from '@sealwire/app';
import type { KeySource } from '@sealwire/crypto';
import { SealwireServer } from '@sealwire/transport';

import type { Settings } from '../config/settings.js';
import { isListening } from '../is-listening.js';
import type { Channel } from './channel.js';

const TCP_VARIABLES = { address: 'SEALWIRE_HOST', port: 'SEALWIRE_PORT' };
const PATH_VARIABLES = { address: 'SEALWIRE_PATH', port: 'SEALWIRE_PATH' };
/** The default of the transport for all addresses together. */
const MAX_STRANGERS = 1_024;

/** Clients connect to this server. */
export class DirectChannel implements Channel {
  readonly strategy: SealwireServer;
  readonly #listen: Settings['listen'];

  constructor({ listen, service, maxStrangersPerAddress }: Settings, keyring: KeySource) {
    const limits = { maxStrangers: Math.max(MAX_STRANGERS, maxStrangersPerAddress), maxStrangersPerAddress };
    this.strategy = new SealwireServer({ ...listen, limits, keyring, service, keepSealedRecord: true });
    this.#listen = listen;
  }

  get isUp(): boolean {
    return isListening(this.strategy);
  }

  get address(): string {
    return boundAddress(this.strategy.unwrap());
  }

  async listen(service: INestMicroservice): Promise<void> {
    const listen = this.#listen;
    const [where, variables] =
      'path' in listen ? [listen.path, PATH_VARIABLES] : [shownAddress(listen.host, listen.port), TCP_VARIABLES];
    await service.listen().catch((error: unknown) => {
      throw listenFailed(error, where, variables);
    });
  }
}
