import { AsyncLocalStorage } from 'node:async_hooks';

import type { MessageHandler } from '@nestjs/microservices';
import { wireError } from '@sealwire/channel/internal';
import { allowsPattern } from '@sealwire/crypto/internal';
import type { SecretKey } from '@sealwire/crypto';
import { of, throwError } from 'rxjs';
import type { Observable } from 'rxjs';

import { STORE_ERROR } from '../errors.js';
import type { HeaderEntry } from '../seal/inner-message.js';
import type { SealedSession } from '../seal/sealed-session.js';
import { extendContext } from './sealed-context.js';
import { traceHandler } from './traced-calls.js';

/** A sealed message on its way through Nest. */
export interface SealedCall {
  readonly key: SecretKey;
  /** `<key id>.<sender>.<counter>` */
  readonly id: string;
  /** The message as it arrived. */
  readonly envelope: Uint8Array;
  /** The pattern that the key must allow; undefined: the one that Nest has read from the message. */
  readonly pattern: string | undefined;
  /** The subject, channel, topic or queue from which it came. */
  readonly destination: string;
  /** As sealed. */
  readonly headers: readonly HeaderEntry[] | undefined;
  readonly isRequest: boolean;
  /** Why no handler may have it; undefined if one may. */
  readonly refusal: 'store' | 'overload' | undefined;
  /** Called if no handler gets it. Undefined: the broker expects no acknowledgement. */
  readonly drop?: (() => void) | undefined;
}

/**
 * The sealed messages that Nest handles. Its servers make the context and find the handler of a message themselves, so
 * what belongs to the message is kept in the async context of this work.
 */
export class SealedCalls {
  readonly #calls = new AsyncLocalStorage<SealedCall>();
  readonly #session: Pick<SealedSession, 'scheme' | 'forbid'>;
  readonly #readHeader: (value: string) => unknown;

  /**
   * @param session - Counts the messages that their keys may not send.
   * @param readHeader - Returns the value of a header from its sealed form, the same text unless given.
   */
  constructor(session: Pick<SealedSession, 'scheme' | 'forbid'>, readHeader: (value: string) => unknown = String) {
    this.#session = session;
    this.#readHeader = readHeader;
  }

  /** Runs Nest's handling of a message. */
  run<T>(call: SealedCall, handle: () => T): T {
    return this.#calls.run(call, handle);
  }

  /**
   * Returns the handler for the message of this async context, with the sender in its context, or a function that
   * refuses. The patterns come first, so that the absence of a handler does not show.
   *
   * @param pattern - As Nest asks for it.
   * @param handlers - All handlers of the server, by their patterns, which are texts or regular expressions.
   */
  handlerOf(
    pattern: string,
    handler: MessageHandler | null,
    handlers: ReadonlyMap<unknown, MessageHandler>,
  ): MessageHandler | null {
    const call = this.#calls.getStore();
    if (call === undefined) return handler;
    const refusal = this.#refusalOf(call, call.pattern ?? pattern);
    if (refusal !== undefined) return () => Promise.resolve(refusal());
    if (handler === null) return null;
    const sealed: MessageHandler = (data: unknown, context: object) => {
      extendContext(context, call);
      const { isRequest, envelope, destination, headers = [] } = call;
      const message = {
        system: this.#session.scheme,
        kind: isRequest ? 'request' : 'event',
        pattern: patternOf(handler, pattern, handlers),
        destination,
        bytes: envelope.length,
      } as const;
      const readHeaders = () => Object.fromEntries(headers.map(([name, value]) => [name, this.#readHeader(value)]));
      return traceHandler(message, readHeaders, () => handler(data, context) as Promise<unknown>);
    };
    return Object.assign(sealed, handler);
  }

  /** Returns what takes the place of the handler; undefined if the handler may run. Nest asks more than once for an event. */
  #refusalOf(call: SealedCall, pattern: string): (() => Observable<unknown>) | undefined {
    const { key, refusal } = call;
    if (refusal === 'store') return () => refused(call, STORE_ERROR);
    if (refusal === 'overload') return () => refused(call, wireError('ERR_OVERLOADED'));
    if (allowsPattern(key.patterns, pattern)) return undefined;
    return () => {
      this.#session.forbid(pattern, key);
      return refused(call, wireError('ERR_FORBIDDEN'));
    };
  }
}

/** Returns the pattern of a handler. `asked` is one of any number, chosen by clients, if that pattern has wildcards. */
function patternOf(handler: MessageHandler, asked: string, handlers: ReadonlyMap<unknown, MessageHandler>): string {
  if (handlers.has(asked)) return asked;
  const [pattern = asked] = [...handlers].find(([, one]) => one === handler) ?? [];
  return String(pattern);
}

/**
 * Returns one value for an event: Nest's Kafka server fails without one, and would get the event again.
 *
 * @param error - The error of the caller of a request, in the form of Nest's own errors.
 */
function refused({ isRequest, drop }: SealedCall, error: object): Observable<unknown> {
  drop?.();
  return isRequest ? throwError(() => error) : of(undefined);
}
