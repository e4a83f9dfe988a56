import type { LoggerService } from '@nestjs/common';

import type { HandshakeFailure } from '../connection/listener.js';
import type { TransportError, TransportErrorCode } from '../errors.js';

const INTERVAL_MS = 1_000;

/** What an operator should do about it; the peer is told nothing. */
const ADVICE: Partial<Record<TransportErrorCode, string>> = {
  ERR_UNKNOWN_KEY: 'the client uses a key that this server does not have',
  ERR_OPEN_FAILED: 'the client uses another key or another service name',
  ERR_HANDSHAKE_MALFORMED: 'the client does not speak this protocol',
};

/** One line a second for each kind of failure: whoever can reach the port can cause as many as he likes. */
export class FailureLog {
  readonly #logger: LoggerService;
  readonly #last = new Map<TransportErrorCode, { atMs: number; suppressed: number }>();

  constructor(logger: LoggerService) {
    this.#logger = logger;
  }

  handshakeFailed({ error, address }: HandshakeFailure): void {
    const advice = ADVICE[error.code] ?? error.message;
    this.#warn(error.code, `Refused ${address ?? 'a local client'}: ${advice} (${error.code})`);
  }

  connectionFailed(error: TransportError, address: string | undefined): void {
    this.#warn(error.code, `Lost ${address ?? 'a local client'}: ${error.message} (${error.code})`);
  }

  legacyRefused(error: TransportError, address: string | undefined): void {
    this.#warn(
      error.code,
      `Refused a legacy message of ${address ?? 'a local client'}: ${error.message} (${error.code})`,
    );
  }

  #warn(code: TransportErrorCode, line: string): void {
    const nowMs = performance.now();
    const last = this.#last.get(code);
    if (last !== undefined && nowMs - last.atMs < INTERVAL_MS) {
      last.suppressed += 1;
      return;
    }
    const more = last !== undefined && last.suppressed > 0 ? `, and ${last.suppressed} more of the kind before` : '';
    this.#last.set(code, { atMs: nowMs, suppressed: 0 });
    this.#logger.warn(line + more);
  }
}
