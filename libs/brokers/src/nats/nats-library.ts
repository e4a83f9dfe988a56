// The parts that are used of `@nats-io/transport-node` (Nest 12) and of `nats` 2 (Nest 11). Neither is imported, because an
// application has only one of them.
import type { HeaderEntry } from '../seal/inner-message.js';

/** The headers of a message. */
export interface NatsHeaders {
  /** The status that the broker has set; 0 if it has set none. */
  readonly code: number;
  /** Returns the names of the headers. */
  keys(): readonly string[];
  /** Returns the values of one header. */
  values(name: string): readonly string[];
  /** Adds a value to a header. */
  append(name: string, value: string): void;
}

/** A message of the NATS library. */
export interface NatsMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  /** The reply subject; empty or undefined for an event. */
  readonly reply?: string | undefined;
  readonly headers?: NatsHeaders | undefined;
}

/** Called with each message of a subscription, or with the error that ended it. */
export type NatsCallback = (error: Error | null, message: NatsMessage) => unknown;

/** A subscription of the NATS library. */
export interface NatsSubscription {
  /** Ends the subscription: no further message is delivered. */
  unsubscribe(): void;
}

/** The reply subject and the headers of a message. */
export interface NatsPublishOptions {
  readonly reply?: string | undefined;
  readonly headers?: NatsHeaders | undefined;
}

/** A connection of the NATS library, as far as Nest uses it. */
export interface NatsConnection {
  /** The limits that the broker has announced; undefined before the connection is open. */
  readonly info?: { readonly max_payload: number } | undefined;
  /** Sends a message, without waiting for the broker. */
  publish(subject: string, data?: Uint8Array | string, options?: NatsPublishOptions): void;
  /** Calls `callback` with each message of a subject, or with a share of them if there is a queue. */
  subscribe(subject: string, options: { queue?: string | undefined; callback: NatsCallback }): NatsSubscription;
  /** Returns the changes of the connection, for the log. */
  status(): AsyncIterable<unknown>;
  /** Resolves with the round trip to the broker, in milliseconds. */
  rtt(): Promise<number>;
  /** Resolves when the broker has received everything that was sent before. */
  flush(): Promise<void>;
  /** Closes the connection after the messages that have arrived have been handled. */
  drain(): Promise<void>;
  /** Closes the connection, without waiting for messages that are being handled. */
  close(): Promise<void>;
}

/** Sealed headers that were received are put into this one, so that the receiver has an object of the library's class. */
const MARK = 'Sealwire-Headers';

/** The headers that the broker reads: those of JetStream. */
const OF_THE_BROKER = /^nats-/i;

/** Returns the names and values of headers, as they are sealed. */
export function headerEntries(headers: NatsHeaders): readonly HeaderEntry[] {
  return headers.keys().flatMap((name) => headers.values(name).map((value) => [name, value] as const));
}

/**
 * Returns the headers that are sent in the clear next to the sealed ones: those of the broker, and those that the
 * options name.
 *
 * @param openNames - In lower case.
 */
export function outerHeaders(headers: NatsHeaders, openNames: readonly string[]): NatsHeaders {
  const outer = like(headers);
  outer.append(MARK, '1'); // an object without any would not be sent
  for (const [name, value] of headerEntries(headers)) {
    if (OF_THE_BROKER.test(name) || openNames.includes(name.toLowerCase())) outer.append(name, value);
  }
  return outer;
}

/** Returns the sealed headers as an object of the class of the outer ones; undefined if there are none. */
export function innerHeaders(
  entries: readonly HeaderEntry[] | undefined,
  outer: NatsHeaders | undefined,
): NatsHeaders | undefined {
  if (entries === undefined || outer === undefined) return undefined;
  const headers = like(outer);
  for (const [name, value] of entries) headers.append(name, value);
  return headers;
}

/**
 * Returns new headers of the class of other ones, because only the library has the class. Its constructor has no
 * arguments.
 */
function like(headers: NatsHeaders): NatsHeaders {
  const { constructor } = headers as unknown as { readonly constructor: new () => NatsHeaders };
  return new constructor();
}

/** Returns whether a text can be a subject: `nats` 2 would write any other one into its protocol as further commands. */
export function isSubject(text: string): boolean {
  return /^[^\s\0]+$/.test(text);
}

/** Returns whether a subject is of one of the broker's own services, which must be able to read the message. */
export function isOfBroker(subject: string): boolean {
  return /^\$(?:JS|KV|SYS)\./.test(subject);
}

/** Returns whether a subscription to `pattern`, which may have wildcards, covers a subject. */
export function covers(pattern: string, subject: string): boolean {
  const expected = pattern.split('.');
  const tokens = subject.split('.');
  const rest = expected.indexOf('>');
  if (rest === -1 ? expected.length !== tokens.length : tokens.length <= rest) return false;
  return expected.every((token, index) => index === rest || token === '*' || token === tokens[index]);
}
