import { inspect } from 'node:util';

import type { LoggerService } from '@nestjs/common';
import { TransportError } from '@sealwire/channel';
import type { ClientConnectionEvent } from '@sealwire/channel';
import { formatEndpoint } from '@sealwire/channel/internal';
import type { Endpoint } from '@sealwire/channel/internal';

import { RemoteError } from '../packet/remote-error.js';
import type { SealwireClientSnapshot } from '../snapshot.js';
import { count, FailureEntry, printable } from './failure-entry.js';
import type { FailureFields } from './failure-entry.js';
import { reasonOf } from './failure-log.js';
import { LogLimit, writeOrLose } from './log-limit.js';

/** The log of a client: changes of its connection that no caller sees, and lost events without a subscriber. */
export class ClientLog {
  readonly #logger: LoggerService;
  readonly #address: string;
  readonly #limit = new LogLimit();
  /** There was a connection, or an attempt that was logged. */
  #isAway = false;

  constructor(logger: LoggerService, endpoint: Endpoint) {
    this.#logger = logger;
    this.#address = formatEndpoint(endpoint);
  }

  note(event: ClientConnectionEvent): void {
    switch (event.type) {
      case 'connected':
        this.#connected();
        return;
      case 'failed':
        this.#dialFailed(event.error, event.retryInMs);
        return;
      case 'draining':
        this.#isAway = true;
        this.#log('log', `${this.#address} drains the connection: new calls take another one`, { kind: 'draining' });
        return;
      case 'disconnected':
        if (event.error !== undefined) this.#lost(event.error);
        return;
      case 'renewalFailed':
        this.#renewalFailed(event.error, event.retryInMs);
        return;
      case 'connecting':
      case 'renewed':
      case 'eventFailed':
        return;
    }
  }

  /** Nobody has subscribed to what `emit()` returned. */
  eventLost(error: unknown, pattern: unknown): void {
    const isUnknown = error instanceof RemoteError || (error instanceof TransportError && error.sent === true);
    const what = isUnknown ? 'may not have reached a handler' : 'did not reach a handler';
    const name = nameOf(pattern);
    const line = `The event ${name} ${what}: ${describe(error)}`;
    this.#log('error', line, { kind: 'event-lost', code: codeOf(error), pattern: name });
  }

  /** The client has been closed, but not at once. */
  closing({ inFlight, waiting, connections }: SealwireClientSnapshot): void {
    const calls = inFlight + waiting;
    const what = calls === 0 ? 'the server to answer CLOSE' : count(calls, 'call');
    const line = `Closing: waits for ${what} on ${count(connections, 'connection')} to ${this.#address}`;
    writeOrLose(() => this.#logger.log(line));
  }

  /** Writes what is held back. */
  flush(): void {
    this.#limit.flush();
  }

  #connected(): void {
    if (this.#isAway) this.#log('log', `Connected to ${this.#address} again`, { kind: 'connected' });
    this.#isAway = false;
  }

  /** An attempt without a next one is that of a call, which fails with the reason. */
  #dialFailed(error: unknown, retryInMs: number | undefined): void {
    if (retryInMs === undefined) return;
    this.#isAway = true;
    const line = `No connection to ${this.#address}, the next attempt is in ${retryInMs} ms: ${describe(error)}`;
    this.#log('warn', line, { kind: 'dial', code: codeOf(error) });
  }

  #renewalFailed(error: unknown, retryInMs: number): void {
    const line = `The connection to ${this.#address} is old and goes on, as a fresh one failed; the next attempt is in ${retryInMs} ms: ${describe(error)}`;
    this.#log('warn', line, { kind: 'renewal', code: codeOf(error) });
  }

  #lost(error: TransportError): void {
    this.#isAway = true;
    this.#log('warn', `Lost ${this.#address}: ${describe(error)}`, { kind: 'lost', code: error.code });
  }

  #log(level: 'log' | 'warn' | 'error', line: string, fields: FailureFields): void {
    this.#limit.write(`${fields.kind} ${fields.code}`, (suppressed) => {
      const all = { ...fields, address: this.#address };
      this.#logger[level](new FailureEntry(line, all, suppressed, undefined));
    });
  }
}

/** The pattern may be any object of the user's, whose own way to show itself may fail. */
function nameOf(pattern: unknown): string {
  try {
    return printable(typeof pattern === 'string' ? pattern : inspect(pattern, { breakLength: Infinity }));
  } catch {
    return 'of a pattern that cannot be shown';
  }
}

function codeOf(error: unknown): TransportError['code'] | undefined {
  return error instanceof TransportError ? error.code : undefined;
}

function describe(error: unknown): string {
  const code = codeOf(error);
  return code === undefined ? reasonOf(error) : `${reasonOf(error)} (${code})`;
}
