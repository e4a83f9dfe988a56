import type { INestMicroservice } from '@nestjs/common';
import { StartError } from '@sealwire/app/settings';
import { SealedNatsServer } from '@sealwire/brokers';
import { CryptoError } from '@sealwire/crypto';
import type { KeySource } from '@sealwire/crypto';

import type { Settings } from '../config/settings.js';
import type { Channel } from './channel.js';

/** Servers with the same queue share the messages: each goes to one of them. */
const QUEUE = 'sealwire';
/** How long `close` waits for running handlers after the last message has arrived. */
const GRACE_PERIOD_MS = 1_000;

/** Messages come through a NATS server, which sees envelopes only. */
export class BrokerChannel implements Channel {
  readonly strategy: SealedNatsServer;
  readonly address: string;
  #isConnected = false;

  constructor(urls: readonly string[], { service }: Settings, keyring: KeySource) {
    this.address = urls.join(',');
    this.strategy = new SealedNatsServer({
      servers: [...urls],
      queue: QUEUE,
      gracefulShutdown: true,
      gracePeriod: GRACE_PERIOD_MS,
      maxReconnectAttempts: -1, // without an end: the broker may be away for longer than this process waits
      seal: { keyring, service },
    });
    this.strategy.status.subscribe((status: string) => (this.#isConnected = status === 'connected'));
  }

  get isUp(): boolean {
    return this.#isConnected;
  }

  async listen(service: INestMicroservice): Promise<void> {
    await service.listen().catch((cause: unknown) => {
      if (cause instanceof CryptoError) throw cause;
      const reason = cause instanceof Error ? cause.message : String(cause);
      const remedy = 'start a NATS server there, or set another URL';
      throw new StartError(`SEALWIRE_BROKER: ${this.address} does not accept a connection (${reason}); ${remedy}`, {
        cause,
      });
    });
  }
}
