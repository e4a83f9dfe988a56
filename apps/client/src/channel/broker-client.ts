import type { OnApplicationShutdown } from '@nestjs/common';
import { EmptyResponseException } from '@nestjs/microservices/errors/empty-response.exception.js';
import { SealedNatsClient } from '@sealwire/brokers';
import type { SealedClientConnection, SealedNatsOptions } from '@sealwire/brokers';
import { CryptoError } from '@sealwire/crypto';
import { catchError, throwError, timeout } from 'rxjs';
import type { Observable } from 'rxjs';

import { HttpFailure } from '../http/failure/http-failure.js';

/** A broker does not report that the server which had a call has ended. */
const ANSWER_TIMEOUT_MS = 30_000;

/** Sends through a NATS server. Its failures have the codes of this app. */
export class BrokerClient extends SealedNatsClient implements OnApplicationShutdown {
  constructor(options: SealedNatsOptions) {
    super({ maxReconnectAttempts: -1, ...options });
  }

  /** Rejects if the broker cannot be reached. */
  override async connect(): Promise<unknown> {
    return super.connect().catch((cause: unknown) => {
      if (cause instanceof CryptoError) throw cause;
      throw new HttpFailure('ERR_BROKER', 'The broker of SEALWIRE_BROKER cannot be reached', { cause, sent: false });
    });
  }

  override send<Result = unknown, Input = unknown>(pattern: unknown, data: Input): Observable<Result> {
    return super.send<Result, Input>(pattern, data).pipe(
      timeout({ each: ANSWER_TIMEOUT_MS, with: () => throwError(noAnswer) }),
      catchError((error: unknown) => throwError(() => toFailure(error))),
    );
  }

  /** The round trip to the broker and back, in milliseconds. */
  async ping(): Promise<number> {
    await this.connect();
    return this.unwrap<SealedClientConnection>().rtt();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.close();
  }
}

function noAnswer(): HttpFailure {
  return new HttpFailure('ERR_DEADLINE', `No server answered within ${ANSWER_TIMEOUT_MS} ms`);
}

function toFailure(error: unknown): unknown {
  if (!(error instanceof EmptyResponseException)) return error;
  return new HttpFailure('ERR_NO_HANDLER', 'No server has a handler for this pattern', { cause: error, sent: false });
}
