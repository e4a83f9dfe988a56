import type { ClientProxy, CustomTransportStrategy } from '@nestjs/microservices';

import type { Needed } from '../engines/engine.js';

/** A transport of Nest and what it can do, so that one suite fits all of them. */
export interface TransportUnderTest {
  readonly name: string;
  /** The program that it needs. */
  readonly kind: Needed;
  /** Starts a broker. */
  start(): Promise<RunningTransport>;
  /** A pattern of handlers, and the pattern of a message that it covers. Undefined: the transport has no wildcards. */
  readonly wildcard?: { readonly pattern: string | RegExp; readonly message: string };
  /** What it cannot do, and why, which the name of the skipped test shows. */
  readonly lacks?: { readonly [feature in 'object patterns' | 'bytes as JSON' | 'empty answers']?: string };
  /** Numbers arrive as text. */
  readonly hasNoNumbers?: true;
  /** The values of an answer without any: none, unless given. */
  readonly emptyAnswer?: readonly unknown[];
  readonly headers?: HeadersUnderTest;
  /** The message of the error of a request that no server handles. Undefined: the request waits for an answer. */
  readonly unknownPattern?: string;
  /** Its client gets no answers after it was closed and connects again. */
  readonly connectsOnce?: boolean;
  /** Its client unsubscribes from the answers to a pattern while other requests wait for theirs. */
  readonly losesAnswers?: boolean;
}

/** What every client of Nest has, whatever its events are. */
export type Caller = Pick<ClientProxy, 'send' | 'emit' | 'close'>;

export interface RunningTransport {
  /** A new strategy. Its application closes it. */
  createServer(): CustomTransportStrategy;
  /** A new client that is not connected. The suite closes it. */
  createClient(): Caller;
  /** Ends the broker. */
  stop(): Promise<void>;
}

export interface HeadersUnderTest {
  /** Builds a message with the record builder of the transport. */
  record(data: unknown, headers: Readonly<Record<string, string>>): unknown;
  /** Reads a header from the context of a handler; undefined if there is none. */
  read(context: unknown, name: string): string | undefined;
}
