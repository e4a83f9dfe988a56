import type { OnApplicationShutdown } from '@nestjs/common';
import { EmptyResponseException } from '@nestjs/microservices/errors/empty-response.exception.js';
import { BrokerError, SealedNatsClient } from '@sealwire/brokers';
import type { SealedClientConnection, SealedNatsOptions } from '@sealwire/brokers';
import { CryptoError } from '@sealwire/crypto';
import { EnvelopeError } from '@sealwire/envelope';
import { catchError, defer, firstValueFrom, from, switchMap, throwError, timeout } from 'rxjs';
import type { Observable } from 'rxjs';

import { HttpFailure } from '../http/failure/http-failure.js';
import { roundTripMs } from './round-trip.js';
import { withinWait } from './connect-wait.js';

/** A broker does not report that the server which had a call has ended. */
const ANSWER_TIMEOUT_MS = 30_000;
/** A broker that is stopped keeps its connections. */
const PING_TIMEOUT_MS = 3_000;

/** Sends through a NATS server. Its failures have the codes of this app. */
export class BrokerClient extends SealedNatsClient implements OnApplicationShutdown {
  constructor(options: SealedNatsOptions) {
    super({ maxReconnectAttempts: -1, ...options });
  }

  /** Rejects if the broker cannot be reached. */
  override async connect(): Promise<unknown> {
    return super.connect().catch((cause: unknown) => {
      throw cause instanceof CryptoError ? cause : unreachable(cause);
    });
  }

  override send<Result = unknown, Input = unknown>(pattern: unknown, data: Input): Observable<Result> {
    const late = { each: ANSWER_TIMEOUT_MS, with: () => throwError(noAnswer) };
    return guarded(pattern, () =>
      this.#onceConnected(() => super.send<Result, Input>(pattern, data).pipe(timeout(late))),
    );
  }

  override emit<Result = unknown, Input = unknown>(pattern: unknown, data: Input): Observable<Result> {
    return guarded(pattern, () => this.#onceConnected(() => super.emit<Result, Input>(pattern, data)));
  }

  /** Resolves with the round trip to the broker and back, in milliseconds. */
  ping(): Promise<number> {
    const ping = defer(async () => {
      await this.connect();
      return roundTripMs(this.unwrap<SealedClientConnection>());
    });
    return firstValueFrom(ping.pipe(timeout({ first: PING_TIMEOUT_MS, with: () => throwError(() => unreachable()) })));
  }

  async onApplicationShutdown(): Promise<void> {
    await this.close();
  }

  #onceConnected<Result>(call: () => Observable<Result>): Observable<Result> {
    return defer(() => from(withinWait(this.connect()))).pipe(switchMap(call));
  }
}

function unreachable(cause?: unknown): HttpFailure {
  return new HttpFailure(
    'ERR_BROKER',
    'The broker of SEALWIRE_BROKER cannot be reached; start it, or correct the URL',
    { cause, sent: false },
  );
}

function noAnswer(): HttpFailure {
  return new HttpFailure(
    'ERR_DEADLINE',
    `No value of the answer arrived within ${ANSWER_TIMEOUT_MS} ms; see the logs of the servers, and call again only if the handler may run twice`,
  );
}

function badPattern(reason: string, cause?: unknown): HttpFailure {
  return new HttpFailure('ERR_BAD_PATTERN', `The pattern cannot be sent through a broker: ${reason}`, {
    cause,
    sent: false,
  });
}

/** Refuses the services of the broker, which obey this app: its callers must not reach them. */
function guarded<Result>(pattern: unknown, call: () => Observable<Result>): Observable<Result> {
  if (typeof pattern === 'string' && pattern.startsWith('$')) {
    return throwError(() => badPattern('it begins with $, which is reserved for the services of NATS'));
  }
  return call().pipe(catchError((error: unknown) => throwError(() => toFailure(error))));
}

function toFailure(error: unknown): unknown {
  if (error instanceof EmptyResponseException) {
    return new HttpFailure('ERR_NO_HANDLER', 'No server has a handler for this pattern', { cause: error, sent: false });
  }
  if (error instanceof BrokerError && error.code === 'ERR_SUBJECT') {
    return badPattern('it contains a space or a control character', error);
  }
  if (error instanceof EnvelopeError && error.code === 'ERR_ENVELOPE_HEADER')
    return badPattern('it is too long', error);
  return error;
}
