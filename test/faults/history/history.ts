// Everything that a run did, in the form in which the checker reads it.

/** The end of a call at its caller. */
export type Outcome =
  | { readonly at: 'PENDING' }
  /** A request has its whole answer, or an event is acknowledged. */
  | { readonly at: 'DONE' }
  /** The handler failed, with this message. */
  | { readonly at: 'THREW'; readonly message: string }
  /** The transport failed. `sent` as in the error. */
  | { readonly at: 'FAILED'; readonly code: string; readonly sent: boolean | undefined }
  /** The caller unsubscribed. */
  | { readonly at: 'CANCELLED' };

/** A request or an event. Times are those of the caller's clock. */
export interface Call {
  readonly id: string;
  readonly client: string;
  readonly kind: 'request' | 'event';
  /** What was asked for, for the report. */
  readonly work: string;
  /** The values of the right answer. */
  readonly values: readonly string[];
  /** The message of the failure that ends the right answer. */
  readonly failure: string | undefined;
  /** When the timeout of the request ends. */
  readonly dueMs: number | undefined;
  /** A small event: the order in which such events run is the order in which they were emitted. */
  readonly isOrdered: boolean;
  /** Whether its handler may run more than once, because the caller allows it. */
  readonly mayRepeat: boolean;
  /** Whether an event is done when it is sealed: it may be lost afterwards, and that is reported elsewhere. */
  readonly endsSealed: boolean;
  /** The values that came. */
  readonly received: readonly string[];
  readonly outcome: Outcome;
  /** When the outcome was known. */
  readonly endedMs: number | undefined;
}

/** A handler that ran. */
export interface HandlerRun {
  /** The id of the call. */
  readonly call: string;
  /** The server object in which it ran: a server that starts again has another name. */
  readonly server: string;
}

export interface History {
  /** Of each client, in the order in which they were made. */
  readonly calls: readonly Call[];
  /** Of each server, in the order in which they began. */
  readonly runs: readonly HandlerRun[];
  /** How late a timer may be on this machine, in this run. */
  readonly slackMs: number;
}
