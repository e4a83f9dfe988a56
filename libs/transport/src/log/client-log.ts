import { inspect } from 'node:util';

import type { LoggerService } from '@nestjs/common';
import { TransportError } from '@sealwire/channel';
import type { ClientConnectionEvent } from '@sealwire/channel';
import { codeOf, formatEndpoint } from '@sealwire/channel/internal';
import type { Endpoint } from '@sealwire/channel/internal';

import { RemoteError } from '../packet/remote-error.js';
import type { SealwireClientSnapshot } from '../snapshot.js';
import { count, FailureEntry, printable } from './failure-entry.js';
import type { FailureFields } from './failure-entry.js';
import { reasonOf } from './failure-log.js';
import { LogLimit, writeOrLose } from './log-limit.js';

/** The log of a client: connection changes that no caller gets as an error, and lost events without a subscriber. */
export class ClientLog {
  readonly #logger: LoggerService;
  readonly #address: string;
  readonly #limit = new LogLimit();
  /** Whether the loss of a connection or a failed attempt was logged, so that the next connection is logged, too. */
  #isAway = false;

  constructor(logger: LoggerService, endpoint: Endpoint) {
    this.#logger = logger;
    this.#address = formatEndpoint(endpoint);
  }

  note(event: ClientConnectionEvent): void {
    switch (event.type) {
      case 'connected':
        if (this.#isAway) this.#log('log', `Connected to ${this.#address} again`, { kind: 'connected' });
        this.#isAway = false;
        return;
      case 'failed':
        if (event.retryInMs === undefined) return; // the attempt of a call, which fails with the reason
        this.#isAway = true;
        this.#logError(
          'dial',
          `No connection to ${this.#address}, the next attempt is in ${event.retryInMs} ms`,
          event.error,
        );
        return;
      case 'draining':
        this.#isAway = true;
        this.#log('log', `${this.#address} drains the connection; new calls use another one`, { kind: 'draining' });
        return;
      case 'disconnected':
        if (event.error === undefined) return;
        this.#isAway = true;
        this.#logError('lost', `Lost the connection to ${this.#address}`, event.error);
        return;
      case 'renewalFailed':
        this.#logError(
          'renewal',
          `Could not renew the connection to ${this.#address}, so the old one stays in use; the next attempt is in ${event.retryInMs} ms`,
          event.error,
        );
        return;
      case 'connecting':
      case 'renewed':
      case 'eventFailed':
        return;
    }
  }

  /** Logs a lost event if the observable of `emit()` had no subscriber. */
  eventLost(error: unknown, pattern: unknown): void {
    const what = mayHaveArrived(error) ? 'may not have reached a handler' : 'did not reach a handler';
    const name = nameOf(pattern);
    const line = `The event ${name} ${what}: ${describe(error)}`;
    this.#log('error', line, { kind: 'event-lost', code: codeOf(error), pattern: name });
  }

  /** Logs, every second, that the client is still closing. */
  closing({ inFlight, waiting, connections }: SealwireClientSnapshot): void {
    const calls = inFlight + waiting;
    const what = calls === 0 ? 'the server to answer CLOSE' : count(calls, 'call');
    const line = `Closing: waiting for ${what} on ${count(connections, 'connection')} to ${this.#address}`;
    writeOrLose(() => this.#logger.log(line));
  }

  /** Writes the entries that are held back. */
  flush(): void {
    this.#limit.flush();
  }

  #logError(kind: FailureFields['kind'], line: string, error: unknown): void {
    this.#log('warn', `${line}: ${describe(error)}`, { kind, code: codeOf(error) });
  }

  #log(level: 'log' | 'warn' | 'error', line: string, fields: FailureFields): void {
    this.#limit.write(`${fields.kind} ${fields.code}`, (suppressed) => {
      const all = { ...fields, address: this.#address };
      this.#logger[level](new FailureEntry(line, all, suppressed, undefined));
    });
  }
}

/** Describes a pattern. It may be any object of the user, with an `inspect` method that throws. */
function nameOf(pattern: unknown): string {
  try {
    return printable(typeof pattern === 'string' ? pattern : inspect(pattern, { breakLength: Infinity }));
  } catch {
    return 'of a pattern that cannot be shown';
  }
}

/** The error may be of user code, so that it may throw when it is read. */
function mayHaveArrived(error: unknown): boolean {
  try {
    return error instanceof RemoteError || (error instanceof TransportError && error.sent === true);
  } catch {
    return false;
  }
}

function describe(error: unknown): string {
  const code = codeOf(error);
  return code === undefined ? reasonOf(error) : `${reasonOf(error)} (${code})`;
}
