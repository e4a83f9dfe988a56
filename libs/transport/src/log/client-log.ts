import { inspect } from 'node:util';

import type { LoggerService } from '@nestjs/common';
import { TransportError } from '@sealwire/channel';
import type { ClientConnectionEvent } from '@sealwire/channel';
import { codeOf } from '@sealwire/channel/internal';

import { RemoteError } from '../packet/remote-error.js';
import type { SealwireClientSnapshot } from '../snapshot.js';
import { count, FailureEntry, printable } from './failure-entry.js';
import type { FailureFields } from './failure-entry.js';
import { reasonOf } from './failure-log.js';
import { LogLimit, writeOrLose } from './log-limit.js';

type Failed = Extract<ClientConnectionEvent, { readonly type: 'failed' }>;

const MAX_AWAY = 1_024;

/** The log of a client: connection changes that no caller gets as an error, and lost events without a subscriber. */
export class ClientLog {
  readonly #logger: LoggerService;
  readonly #servers: () => readonly string[];
  readonly #limit = new LogLimit();
  /** Servers whose loss or failed attempt was logged, so that their next connection is logged, too. */
  readonly #away = new Set<string>();

  /** @param servers - Returns the servers of the client, as its events name them. */
  constructor(logger: LoggerService, servers: () => readonly string[]) {
    this.#logger = logger;
    this.#servers = servers;
  }

  note(event: ClientConnectionEvent): void {
    switch (event.type) {
      case 'connected':
        if (!this.#away.delete(event.server)) return;
        this.#log('log', `Connected to ${event.server} again`, event.server, { kind: 'connected' });
        return;
      case 'failed':
        this.#dialFailed(event);
        return;
      case 'draining': {
        const line = `The connection to ${event.server} is draining; new calls use another one`;
        this.#noteAway(event.server);
        this.#log('log', line, event.server, { kind: 'draining' });
        return;
      }
      case 'disconnected':
        if (event.error === undefined) return;
        this.#noteAway(event.server);
        this.#logError('lost', event.server, `Lost the connection to ${event.server}`, event.error);
        return;
      case 'renewalFailed':
        this.#logError(
          'renewal',
          event.server,
          `Could not renew the connection to ${event.server}`,
          event.error,
          `; the old one stays in use, and the next attempt is in ${event.retryInMs} ms`,
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
    const [server, ...others] = this.#servers();
    const only = others.length === 0 ? server : undefined;
    this.#log('error', line, only, { kind: 'event-lost', code: codeOf(error), pattern: name });
  }

  /** Logs, every second, that the client is still closing. */
  closing({ inFlight, waiting, connections, servers }: SealwireClientSnapshot): void {
    const calls = inFlight + waiting;
    const what = calls === 0 ? 'CLOSE' : count(calls, 'call');
    const [first, ...others] = servers;
    const where = others.length === 0 ? first?.server : count(servers.length, 'server');
    const line = `Closing: waiting for ${what} on ${count(connections, 'connection')} to ${where}`;
    writeOrLose(() => this.#logger.log(line));
  }

  /** Writes the entries that are held back. */
  flush(): void {
    this.#limit.flush();
  }

  /**
   * Logs a failed attempt. One without a retry belongs to a call, which fails with the reason. With several servers only
   * the first one in a row is logged, because calls use another server.
   */
  #dialFailed({ server, error, retryInMs }: Failed): void {
    const isOnly = this.#servers().length === 1;
    if (isOnly ? retryInMs === undefined : this.#away.has(server)) return;
    this.#noteAway(server);
    const next = retryInMs === undefined ? '' : `; the next attempt is in ${retryInMs} ms`;
    this.#logError('dial', server, `Cannot connect to ${server}`, error, next);
  }

  #logError(kind: FailureFields['kind'], server: string, line: string, error: unknown, next = ''): void {
    const reason = describe(error);
    const text = reason.startsWith(`${line}: `) ? reason : `${line}: ${reason}`; // a failed dial says the same
    this.#log('warn', `${text}${next}`, server, { kind, code: codeOf(error) });
  }

  #noteAway(server: string): void {
    this.#away.add(server);
    const [oldest = server] = this.#away;
    if (this.#away.size > MAX_AWAY) this.#away.delete(oldest); // addresses may vanish without a further event
  }

  #log(level: 'log' | 'warn' | 'error', line: string, address: string | undefined, fields: FailureFields): void {
    this.#limit.write(`${fields.kind} ${fields.code} ${address}`, (suppressed) => {
      this.#logger[level](new FailureEntry(line, { ...fields, address }, suppressed, undefined));
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

/**
 * Returns whether a handler may have got the message. The error may be of user code, so that it may throw when it is
 * read.
 */
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
