// What clients ask for, and what servers do for it. Both ends derive the answer from the id of the call.
import type { SealwireServer } from '@sealwire/transport';
import { Observable } from 'rxjs';

import { hashText } from '../../support/random.js';
import type { Random } from '../../support/random.js';

export type Work =
  | { readonly pattern: 'value' }
  | { readonly pattern: 'slow'; readonly ms: number }
  /** `count` values, with a pause before each. */
  | { readonly pattern: 'series'; readonly count: number; readonly ms: number }
  /** A text of this length in both directions. */
  | { readonly pattern: 'large'; readonly length: number }
  | { readonly pattern: 'failure' }
  | { readonly pattern: 'event' }
  | { readonly pattern: 'large event'; readonly length: number };

/** The data of a message. */
export interface Order {
  readonly id: string;
  readonly count?: number;
  readonly ms?: number;
  readonly text?: string;
}

/** Most are small. */
const REQUESTS = ['value', 'value', 'value', 'value', 'slow', 'series', 'large', 'failure'] as const;
const MAX_SLOW_MS = 300;
const MAX_VALUES = 20;
const MAX_LENGTH = 400_000;
const SHORT_LENGTH = 64;

export function drawRequest(random: Random): Work {
  const pattern = random.pick(REQUESTS);
  switch (pattern) {
    case 'value':
    case 'failure':
      return { pattern };
    case 'slow':
      return { pattern, ms: random.below(MAX_SLOW_MS) };
    case 'series':
      return { pattern, count: random.below(MAX_VALUES), ms: random.below(20) };
    case 'large':
      return { pattern, length: 1_000 + random.below(MAX_LENGTH) };
  }
}

export function drawEvent(random: Random): Work {
  if (random.oneIn(20)) return { pattern: 'large event', length: 1_000 + random.below(MAX_LENGTH) };
  return { pattern: 'event' };
}

export function orderOf(id: string, work: Work): Order {
  switch (work.pattern) {
    case 'value':
    case 'failure':
    case 'event':
      return { id };
    case 'slow':
      return { id, ms: work.ms };
    case 'series':
      return { id, count: work.count, ms: work.ms };
    case 'large':
    case 'large event':
      return { id, text: textOf(id, work.length) };
  }
}

/** The values of the right answer, short as {@link shorten} makes them. */
export function valuesOf(id: string, work: Work): readonly string[] {
  switch (work.pattern) {
    case 'value':
    case 'slow':
      return [`${id}!`];
    case 'series':
      return Array.from({ length: work.count }, (_, index) => `${id}#${index}`);
    case 'large':
      return [shorten(answerTo(textOf(id, work.length)))];
    case 'failure':
    case 'event':
    case 'large event':
      return [];
  }
}

export function failureOf(id: string, work: Work): string | undefined {
  return work.pattern === 'failure' ? `${id} failed` : undefined;
}

/** A value in a few characters: another value gives another text. */
export function shorten(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length <= SHORT_LENGTH ? text : `${text.length}:${hashText(text)}`;
}

/** @param log - Is called with the id of a call before anything else is done for it. */
export function addHandlers(server: SealwireServer, log: (id: string) => void): void {
  const handle = (pattern: Work['pattern'], run: (order: Order) => unknown): void =>
    server.addHandler(pattern, (order: Order) => {
      log(order.id);
      return Promise.resolve(run(order));
    });
  handle('value', ({ id }) => `${id}!`);
  handle('slow', ({ id, ms = 0 }) => series(ms, [`${id}!`]));
  handle('series', ({ id, count = 0, ms = 0 }) =>
    series(
      ms,
      Array.from({ length: count }, (_, index) => `${id}#${index}`),
    ),
  );
  handle('large', ({ text = '' }) => answerTo(text));
  handle('failure', ({ id }) => Promise.reject({ status: 'error', message: `${id} failed` }));
  for (const pattern of ['event', 'large event'] as const)
    server.addHandler(pattern, (order: Order) => Promise.resolve(log(order.id)), true);
}

function textOf(id: string, length: number): string {
  return id.repeat(Math.ceil(length / id.length)).slice(0, length);
}

function answerTo(text: string): string {
  return `${text.slice(text.length / 2)}|${text.slice(0, text.length / 2)}`;
}

/** Ends early if the caller leaves. */
function series(ms: number, values: readonly string[]): Observable<string> {
  return new Observable((subscriber) => {
    let next = 0;
    const step = (): void => {
      const value = values[next++];
      if (value === undefined) subscriber.complete();
      else subscriber.next(value);
      if (!subscriber.closed) timer = setTimeout(step, ms);
    };
    let timer = setTimeout(step, ms);
    return () => clearTimeout(timer);
  });
}
