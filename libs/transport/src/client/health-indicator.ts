import { Inject, Injectable, Logger } from '@nestjs/common';
import { HealthIndicatorService } from '@nestjs/terminus';
import type { HealthIndicatorResult } from '@nestjs/terminus';
import { TransportError } from '@sealwire/channel';
import { Deadline, isError } from '@sealwire/channel/internal';
import { CryptoError } from '@sealwire/crypto';

import type { SealwireClient } from './client.js';

/** The options of one health check. */
export interface PingCheckOptions {
  /** The time after which the server counts as down. Default: 1 s. */
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 1_000;

/** Shown for every failure of the keys, because its own message may contain key ids and dates, and a probe needs no token. */
const KEY_FAILURE = 'The keys cannot be used now; the log has the reason';

/**
 * Checks whether a server answers over the connection of the application. A check opens no second connection, and it also
 * detects a wrong key. Provide it in the module that checks health.
 */
@Injectable()
export class SealwireHealthIndicator {
  readonly #indicator: HealthIndicatorService;
  readonly #logger = new Logger(SealwireHealthIndicator.name);
  /** The last failure of the keys of each client that was logged, so that probes do not repeat it. */
  readonly #logged = new WeakMap<SealwireClient, string>();

  constructor(@Inject(HealthIndicatorService) indicator: HealthIndicatorService) {
    this.#indicator = indicator;
  }

  /**
   * Returns `up` with `roundTripMs` if a server answers, or `down` with the `code` and `message` of the failure. With
   * several servers, an `up` result also has the state of each. `keysError` is the error code if a changed key file could not be
   * loaded. The message of a failure of the keys is in Nest's log only.
   */
  async pingCheck<Key extends string>(
    key: Key,
    client: SealwireClient,
    { timeoutMs = DEFAULT_TIMEOUT_MS }: PingCheckOptions = {},
  ): Promise<HealthIndicatorResult<Key>> {
    const check = this.#indicator.check(key);
    try {
      const roundTripMs = await pingWithin(timeoutMs, client);
      this.#logged.delete(client);
      const { servers: counts, keys } = client.snapshot();
      const servers = counts.map(({ server, state }) => ({ server, state }));
      return check.up({
        roundTripMs,
        ...(servers.length > 1 && { servers }),
        ...(keys?.error !== undefined && { keysError: keys.error.code }),
      });
    } catch (error) {
      if (!isError(error)) return check.down({ code: 'ERR_INTERNAL', message: String(error) });
      const code = 'code' in error ? String(error.code) : 'ERR_INTERNAL';
      if (!isKeyFailure(error)) return check.down({ code, message: error.message });
      this.#logOnce(client, `${error.message} (${code})`);
      return check.down({ code, message: KEY_FAILURE });
    }
  }

  #logOnce(client: SealwireClient, message: string): void {
    if (this.#logged.get(client) === message) return;
    this.#logged.set(client, message);
    this.#logger.warn(message);
  }
}

function isKeyFailure(error: Error): boolean {
  return error instanceof CryptoError || (error instanceof TransportError && error.code === 'ERR_KEY_REVOKED');
}

async function pingWithin(timeoutMs: number, client: SealwireClient): Promise<number> {
  let deadline: Deadline | undefined;
  const expired = new Promise<never>((_resolve, reject) => {
    const error = new TransportError(
      'ERR_PING_TIMEOUT',
      `PING timed out: the server did not answer within ${timeoutMs} ms`,
    );
    deadline = new Deadline(timeoutMs, () => reject(error));
  });
  try {
    return await Promise.race([client.ping(), expired]);
  } finally {
    deadline?.clear();
  }
}
