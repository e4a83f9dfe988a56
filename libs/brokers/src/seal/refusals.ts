import type { LoggerService } from '@nestjs/common';
import { clock } from '@sealwire/channel/internal';

import { publishRefused } from '../diagnostics.js';
import type { RefusedMessage } from '../diagnostics.js';

/** The reasons in the words of the log. */
const REASONS = {
  form: 'it is not an envelope, or is too large',
  key: 'it names a key that cannot be used here',
  tag: 'it was altered, or sealed with a different key',
  audience: 'it was sealed for a different service',
  subject: 'it was sealed for a different subject',
  age: 'it was sealed too long ago, or in the future',
  replay: 'it has been received before, or is older than the replay window',
  order: 'the values of its answer arrived out of order, or twice',
  forbidden: 'its key is not allowed to call this pattern',
  store: 'the replay store failed',
  overload: 'too many messages are waiting for the replay store',
} as const;

/**
 * The reason why a message was refused: one of docs/envelope.md §5 (`form` to `replay`), or one of these.
 *
 * - `order`: a value of an answer arrived out of order, or twice
 * - `forbidden`: the patterns of the key do not cover the message
 * - `store`: the replay store failed
 * - `overload`: too many messages wait for the replay store
 */
export type RefusalReason = keyof typeof REASONS;

const REASON_NAMES = Object.keys(REASONS) as RefusalReason[];
const LOG_INTERVAL_MS = 1000;
const MAX_SHOWN = 100;

/** The messages that one end has refused: counted, published, and logged at most once a second for each reason. */
export class Refusals {
  readonly #side: RefusedMessage['side'];
  readonly #logger: Pick<LoggerService, 'warn'>;
  readonly #counts = new Map<RefusalReason, number>(REASON_NAMES.map((reason) => [reason, 0]));
  readonly #logged = new Map<RefusalReason, { readonly atMs: number; readonly count: number }>();

  constructor(side: RefusedMessage['side'], logger: Pick<LoggerService, 'warn'>) {
    this.#side = side;
    this.#logger = logger;
  }

  /** The number of messages that were refused since this end was created, by reason. */
  get counts(): Readonly<Record<RefusalReason, number>> {
    return Object.fromEntries(this.#counts) as Record<RefusalReason, number>;
  }

  add(reason: RefusalReason, subject: string, keyId?: string): void {
    const count = (this.#counts.get(reason) ?? 0) + 1;
    this.#counts.set(reason, count);
    publishRefused({ side: this.#side, subject, reason, keyId });
    this.#log(reason, subject, count);
  }

  #log(reason: RefusalReason, subject: string, count: number): void {
    const nowMs = clock.nowMs();
    const last = this.#logged.get(reason);
    if (last !== undefined && nowMs - last.atMs < LOG_INTERVAL_MS) return;
    this.#logged.set(reason, { atMs: nowMs, count });
    const more = count - (last?.count ?? 0) - 1;
    const others = more === 0 ? '' : `, and ${more} more for this reason since the last line`;
    // The broker chooses the subject: quoted, so that it cannot begin a line of its own.
    const on = JSON.stringify(subject.slice(0, MAX_SHOWN));
    this.#logger.warn(`Refused a message on ${on}: ${REASONS[reason]} (${reason})${others}`);
  }
}
