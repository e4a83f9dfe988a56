import type { LoggerService } from '@nestjs/common';
import { TransportError } from '@sealwire/channel';
import type { TransportErrorCode } from '@sealwire/channel';
import { codeOf, isError } from '@sealwire/channel/internal';
import type { HandshakeFailure } from '@sealwire/channel/internal';

import { namesOf } from '../handler/context.js';
import type { SealwirePeer } from '../handler/context.js';
import { STOP_TIMEOUT_MS } from '../handler/execution.js';
import { describeFailure } from '../packet/remote-error.js';
import { FailureEntry, printable } from './failure-entry.js';
import type { FailureFields } from './failure-entry.js';
import { LogLimit } from './log-limit.js';

/** The words of Nest's own log. */
const NO_EVENT_HANDLER = 'There is no matching event handler defined in the remote service. Event pattern:';

/** Likely causes, for the operator. They are not sent to the peer. */
const ADVICE: Partial<Record<TransportErrorCode, string>> = {
  ERR_UNKNOWN_KEY: 'the client uses a key that this server does not have or cannot use now',
  ERR_BAD_MAC: 'the client uses a different key or service name',
  ERR_HANDSHAKE_MALFORMED: 'the client does not speak this protocol',
};

const NO_DESCRIPTORS: ReadonlyMap<unknown, string> = new Map([
  ['EMFILE', 'No client can connect: this process has no file descriptors left'],
  ['ENFILE', 'No client can connect: the system has no file descriptors left'],
]);

/** The log of a server. Anyone who can reach the port can cause any number of failures, so entries are limited by kind. */
export class FailureLog {
  readonly #logger: () => LoggerService;
  readonly #limit = new LogLimit();

  /** @param logger - Called for every entry, because a subclass of the server may set its logger after construction. */
  constructor(logger: () => LoggerService) {
    this.#logger = logger;
  }

  handshakeFailed({ error, address }: HandshakeFailure): void {
    const { code, message } = error;
    const line = `Refused ${address ?? 'a local client'}: ${ADVICE[code] ?? message} (${code})`;
    this.#log('warn', line, { kind: 'refused', code, address }, code === 'ERR_INTERNAL' ? error.cause : undefined);
  }

  clientConnected(peer: SealwirePeer): void {
    const line = `Connected: ${peer.address ?? 'a local client'}, key id ${nameOfKey(peer)}`;
    this.#log('log', line, { kind: 'connected', ...fieldsOf(peer) });
  }

  clientLeft(peer: SealwirePeer): void {
    const line = `Disconnected: ${peer.address ?? 'a local client'}, key id ${nameOfKey(peer)}`;
    this.#log('log', line, { kind: 'left', ...fieldsOf(peer) });
  }

  connectionFailed(error: TransportError, peer: SealwirePeer): void {
    const { code, message } = error;
    const line = `Lost the connection from ${peer.address ?? 'a local client'}: ${message} (${code})`;
    const cause = code === 'ERR_INTERNAL' ? error.cause : undefined;
    this.#log('warn', line, { kind: 'lost', code, ...fieldsOf(peer) }, cause);
  }

  /** Logs at most one entry per second for each key, so that one client cannot hide another one. */
  forbidden(kind: 'request' | 'event', unsafePattern: string, peer: SealwirePeer): void {
    const pattern = printable(unsafePattern);
    const refused = kind === 'request' ? 'Refused a request' : 'Refused an event';
    const line = `${refused} for ${pattern}: key ${nameOfKey(peer)} is not allowed to call this pattern (ERR_FORBIDDEN)`;
    this.#log('warn', line, { kind: 'forbidden', code: 'ERR_FORBIDDEN', pattern, ...fieldsOf(peer) });
  }

  legacyRefused({ code, message }: TransportError, address: string | undefined): void {
    const line = `Refused a legacy message from ${address ?? 'a local client'}: ${message} (${code})`;
    this.#log('warn', line, { kind: 'legacy-refused', code, address });
  }

  /** @param unsafePattern - Undefined for an incomplete message for which there was no memory. */
  overloaded(kind: 'request' | 'event', unsafePattern: string | undefined): void {
    const pattern = unsafePattern && printable(unsafePattern);
    const refused = kind === 'request' ? 'Refused a request' : 'Refused an event';
    const reason =
      pattern === undefined
        ? 'incomplete messages use too much memory'
        : 'too many handlers are running, or their messages use too much memory';
    const line = `${refused}${pattern === undefined ? '' : ` for ${pattern}`}: ${reason} (ERR_OVERLOADED)`;
    this.#log('warn', line, { kind: 'overloaded', code: 'ERR_OVERLOADED', pattern });
  }

  noEventHandler(unsafePattern: string): void {
    const pattern = printable(unsafePattern);
    this.#log('error', `${NO_EVENT_HANDLER} ${pattern}`, { kind: 'no-event-handler', pattern });
  }

  eventUnreadable(error: unknown): void {
    this.#failed('An event cannot be read', { kind: 'event-unreadable' }, error);
  }

  requestUnreadable(error: unknown): void {
    this.#failed('A request cannot be read', { kind: 'request-unreadable' }, error);
  }

  eventHandlerFailed(error: unknown, unsafePattern: string): void {
    const pattern = printable(unsafePattern);
    this.#failed(`The handler of the event ${pattern} failed`, { kind: 'event-handler', pattern }, error);
  }

  /** Logs an error that no Nest filter has seen: a generator threw it, or a handler that was added without Nest. */
  handlerFailed(error: unknown, unsafePattern: string | undefined): void {
    const pattern = unsafePattern && printable(unsafePattern);
    this.#failed(`The handler${ofPattern(pattern)} failed`, { kind: 'handler', pattern }, error);
  }

  /** @param unsafePattern - Undefined if the handler has ended. */
  answerFailed(error: unknown, unsafePattern: string | undefined): void {
    const pattern = unsafePattern && printable(unsafePattern);
    const what = pattern === undefined ? 'An answer' : `The answer to ${pattern}`;
    this.#failed(`${what} cannot be sent`, { kind: 'answer', pattern }, error);
  }

  /** Logs an error of a processing hook or of clean-up code. */
  hookFailed(error: unknown): void {
    this.#failed('A hook or clean-up code failed', { kind: 'hook' }, error);
  }

  /** Logs a source that does not stop. Its place is free again, but it may wait forever. */
  sourceAbandoned(unsafePattern: string): void {
    const pattern = printable(unsafePattern);
    const line = `An iterable of the handler of ${pattern} did not stop within ${STOP_TIMEOUT_MS} ms after the call had ended`;
    this.#log('warn', line, { kind: 'abandoned', pattern });
  }

  listenerFailed(error: NodeJS.ErrnoException): void {
    const reason = NO_DESCRIPTORS.get(error.code);
    if (reason !== undefined) {
      const line = `${reason} (${error.code}). Raise the limit on open files`;
      this.#log('error', line, { kind: 'listener' });
      return;
    }
    this.#failed('The listening socket failed', { kind: 'listener' }, error);
  }

  /** Writes the entries that are held back, so that none is written after the server has closed. */
  flush(): void {
    this.#limit.flush();
  }

  #failed(what: string, fields: FailureFields, error: unknown): void {
    const code = codeOf(error);
    if (code === undefined || !(error instanceof TransportError)) {
      this.#log('error', `${what}: ${reasonOf(error)}`, fields, error);
      return;
    }
    const { message, cause } = error;
    const reason = isError(cause) ? `${message}: ${reasonOf(cause)}` : message;
    this.#log('error', `${what}: ${reason} (${code})`, { ...fields, code }, cause);
  }

  #log(level: 'log' | 'warn' | 'error', line: string, fields: FailureFields, cause?: unknown): void {
    const ofKey = fields.kind === 'forbidden' ? ` ${fields.keyId}` : '';
    this.#limit.write(`${fields.kind} ${fields.code}${ofKey}`, (suppressed) => {
      this.#logger()[level](new FailureEntry(line, fields, suppressed, cause));
    });
  }
}

function ofPattern(pattern: string | undefined): string {
  return pattern === undefined ? '' : ` of ${pattern}`;
}

function nameOfKey({ keyId, label }: SealwirePeer): string {
  return label === undefined ? keyId : `${keyId} (${printable(label)})`;
}

function fieldsOf(peer: SealwirePeer): Pick<FailureFields, keyof SealwirePeer> {
  return { ...namesOf(peer), label: peer.label && printable(peer.label) };
}

/** Describes a thrown value. It may be anything, so its description may throw as well. */
export function reasonOf(error: unknown): string {
  try {
    return printable(String(isError(error) ? error.message : describeFailure(error)));
  } catch {
    return 'an unprintable failure';
  }
}
