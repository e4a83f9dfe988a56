import type { LoggerService } from '@nestjs/common';
import { clock } from '@sealwire/channel/internal';

import { publishRefused } from '../diagnostics.js';
import type { RefusedMessage } from '../diagnostics.js';

const REASONS = [
  'form',
  'key',
  'tag',
  'audience',
  'subject',
  'age',
  'replay',
  'order',
  'forbidden',
  'store',
  'overload',
] as const satisfies readonly string[];

/**
 * The reason why a message was refused: one of docs/envelope.md §5 (`form` to `replay`), or one of these.
 *
 * - `order`: a value of an answer arrived out of order, or twice
 * - `forbidden`: the patterns of the key do not cover the message
 * - `store`: the replay store failed
 * - `overload`: too many messages wait for the replay store
 */
export type RefusalReason = (typeof REASONS)[number];

const LOG_INTERVAL_MS = 1000;
const MAX_SHOWN = 100;

/** The messages that one end has refused: counted, published, and logged at most once a second for each reason. */
export class Refusals {
  readonly #side: RefusedMessage['side'];
  readonly #logger: Pick<LoggerService, 'warn'>;
  readonly #counts = new Map<RefusalReason, number>(REASONS.map((reason) => [reason, 0]));
  readonly #logged = new Map<RefusalReason, { readonly atMs: number; readonly count: number }>();

  constructor(side: RefusedMessage['side'], logger: Pick<LoggerService, 'warn'>) {
    this.#side = side;
    this.#logger = logger;
  }

  /** How many messages were refused since this end was made, by reason. */
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
    this.#logger.warn(`Refused a message (${reason}) on ${JSON.stringify(subject.slice(0, MAX_SHOWN))}${others}`);
  }
}
