import { Inject, Injectable, Logger } from '@nestjs/common';
import { HealthIndicatorService } from '@nestjs/terminus';
import type { HealthIndicatorResult } from '@nestjs/terminus';
import { CryptoError } from '@sealwire/crypto';
import type { KeySource } from '@sealwire/crypto';
import { KEYRING } from '@sealwire/crypto/nest';

import type { BrokerClient } from '../channel/broker-client.js';
import { toFailureBody } from '../http/failure/failure-body.js';

/**
 * Checks the connection to the broker, and that there is a key to seal with. The broker answers, not a server: only a call
 * shows whether there is one.
 */
@Injectable()
export class BrokerHealthIndicator {
  readonly #logger = new Logger(BrokerHealthIndicator.name);
  /** The last failure of the keys that was logged, so that probes do not repeat it. */
  #logged: string | undefined;

  constructor(
    @Inject(HealthIndicatorService) private readonly indicator: HealthIndicatorService,
    @Inject(KEYRING) private readonly keys: KeySource,
  ) {}

  /** Returns up with the round trip to the broker in `roundTripMs`, or down with the `code` and `message` of the failure. */
  async pingCheck<Key extends string>(key: Key, client: BrokerClient): Promise<HealthIndicatorResult<Key>> {
    const check = this.indicator.check(key);
    try {
      void this.keys.primary; // throws if no key may seal
      const roundTripMs = await client.ping();
      this.#logged = undefined;
      const error = this.keys.status?.error;
      return check.up({ roundTripMs, ...(error !== undefined && { keysError: error.code }) });
    } catch (error) {
      if (error instanceof CryptoError) this.#logOnce(`${error.message} (${error.code})`);
      const { code, message } = toFailureBody(error);
      return check.down({ code, message });
    }
  }

  #logOnce(message: string): void {
    if (this.#logged === message) return;
    this.#logged = message;
    this.#logger.warn(message);
  }
}
