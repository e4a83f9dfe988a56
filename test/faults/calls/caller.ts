import { setTimeout as delay } from 'node:timers/promises';

import { SealwireRecordBuilder, TransportError } from '@sealwire/transport';
import type { SealwireClient, SealwireClientOptions } from '@sealwire/transport';
import { CryptoError } from '@sealwire/crypto';

import type { Random } from '../../support/random.js';
import type { Call, Outcome } from '../history/history.js';
import { drawEvent, drawRequest, failureOf, orderOf, shorten, valuesOf } from './work.js';
import type { Work } from './work.js';

/** The part of a client that a caller uses, so that a test can put a broken one in its place. */
export type Sender = Pick<SealwireClient, 'send' | 'emit'>;
type ClientTerms = Pick<SealwireClientOptions, 'requestTimeoutMs' | 'idempotent' | 'delivery'>;

const MAX_BURST = 6;
const MAX_PAUSE_MS = 40;
const MAX_TIMEOUT_MS = 1_000;
const MAX_CANCEL_MS = 100;
const DELIVERIES = ['acknowledged', 'at-least-once', 'sent'] as const;

/** What the caller allows. */
interface Terms extends Pick<Call, 'mayRepeat' | 'endsSealed'> {
  readonly timeoutMs?: number | undefined;
}

/** A call whose end is yet to come. */
class RecordedCall implements Call {
  readonly id: string;
  readonly client: string;
  readonly kind: Call['kind'];
  readonly work: string;
  readonly values: readonly string[];
  readonly failure: string | undefined;
  readonly dueMs: number | undefined;
  readonly isOrdered: boolean;
  readonly mayRepeat: boolean;
  readonly endsSealed: boolean;
  readonly received: string[] = [];
  outcome: Outcome = { at: 'PENDING' };
  endedMs: number | undefined;

  constructor(id: string, client: string, work: Work, { timeoutMs, mayRepeat, endsSealed }: Terms) {
    this.id = id;
    this.client = client;
    this.kind = work.pattern === 'event' || work.pattern === 'large event' ? 'event' : 'request';
    const terms = [timeoutMs === undefined ? '' : `, timeout ${timeoutMs} ms`, mayRepeat ? ', may repeat' : ''];
    this.work = `${work.pattern}${terms.join('')}${endsSealed ? ', done when sealed' : ''}`;
    this.mayRepeat = mayRepeat;
    this.endsSealed = endsSealed;
    this.values = valuesOf(id, work);
    this.failure = failureOf(id, work);
    this.dueMs = timeoutMs === undefined ? undefined : performance.now() + timeoutMs;
    this.isOrdered = work.pattern === 'event';
  }

  end(outcome: Outcome): void {
    if (this.outcome.at !== 'PENDING') return;
    this.outcome = outcome;
    this.endedMs = performance.now();
  }
}

/** Makes the calls of one client, and records them. */
export class Caller {
  readonly calls: Call[] = [];
  readonly #name: string;
  readonly #sender: Sender;
  readonly #random: Random;
  /** Of calls that have no terms of their own. */
  readonly #defaults: ClientTerms;

  constructor(name: string, sender: Sender, random: Random, defaults: ClientTerms = {}) {
    this.#name = name;
    this.#sender = sender;
    this.#random = random;
    this.#defaults = defaults;
  }

  /** Makes calls until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const burst = 1 + this.#random.below(MAX_BURST);
      for (let index = 0; index < burst; index++) this.callOnce();
      await delay(this.#random.below(MAX_PAUSE_MS), undefined, { signal }).catch(() => undefined);
    }
  }

  callOnce(): void {
    if (this.#random.oneIn(2)) this.#emit(drawEvent(this.#random));
    else this.#send(drawRequest(this.#random));
  }

  #emit(work: Work): void {
    const { delivery: usual = 'acknowledged' } = this.#defaults;
    const delivery = this.#random.oneIn(4) ? this.#random.pick(DELIVERIES) : usual;
    const call = this.#record(work, { mayRepeat: delivery === 'at-least-once', endsSealed: delivery === 'sent' });
    const order = new SealwireRecordBuilder(orderOf(call.id, work));
    if (delivery !== usual) order.setDelivery(delivery);
    this.#sender.emit(work.pattern, order.build()).subscribe({
      complete: () => call.end({ at: 'DONE' }),
      error: (error: unknown) => call.end(outcomeOf(error)),
    });
  }

  #send(work: Work): void {
    const timeoutMs = this.#random.oneIn(2) ? 20 + this.#random.below(MAX_TIMEOUT_MS) : undefined;
    const cancelAfterMs = this.#random.oneIn(20) ? this.#random.below(MAX_CANCEL_MS) : undefined;
    const { requestTimeoutMs = 0, idempotent = false } = this.#defaults;
    const mayRepeat = this.#random.oneIn(8) ? !idempotent : idempotent;
    const dueInMs = timeoutMs ?? (requestTimeoutMs === 0 ? undefined : requestTimeoutMs);
    const call = this.#record(work, { timeoutMs: dueInMs, mayRepeat, endsSealed: false });
    const order = new SealwireRecordBuilder(orderOf(call.id, work));
    if (mayRepeat !== idempotent) order.setIdempotent(mayRepeat);
    if (timeoutMs !== undefined) order.setTimeoutMs(timeoutMs);
    const answer = this.#sender.send<unknown>(work.pattern, order.build()).subscribe({
      next: (value) => void (call.outcome.at === 'PENDING' && call.received.push(shorten(value))),
      complete: () => call.end({ at: 'DONE' }),
      error: (error: unknown) => call.end(outcomeOf(error)),
    });
    if (cancelAfterMs === undefined) return;
    const timer = setTimeout(() => {
      call.end({ at: 'CANCELLED' });
      answer.unsubscribe();
    }, cancelAfterMs);
    answer.add(() => clearTimeout(timer));
  }

  #record(work: Work, terms: Terms): RecordedCall {
    const call = new RecordedCall(`${this.#name}-${this.calls.length}`, this.#name, work, terms);
    this.calls.push(call);
    return call;
  }
}

function outcomeOf(error: unknown): Outcome {
  if (error instanceof TransportError) return { at: 'FAILED', code: error.code, sent: error.sent };
  if (error instanceof CryptoError) return { at: 'FAILED', code: error.code, sent: false };
  const message = typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : error;
  return { at: 'THREW', message: String(message) };
}
