import { Inject, Injectable } from '@nestjs/common';
import { ClientProxy } from '@nestjs/microservices';
import { CryptoError } from '@sealwire/crypto';
import { NO_MESSAGE_HANDLER, TransportError } from '@sealwire/transport';
import { catchError, defer, from, switchMap, throwError, timeout } from 'rxjs';
import type { Observable } from 'rxjs';

import { CHANNEL } from '../channel/channel.js';
import { HandlerFailure } from '../http/failure/handler-failure.js';
import { HttpFailure } from '../http/failure/http-failure.js';
import type { Pattern } from './pattern.js';

/** The time that a call waits for a connection attempt. The attempt continues for later calls. */
export const MAX_CONNECT_WAIT_MS = 1_000;

/** Sends to the server app. Every error is converted to a failure that can be answered. */
@Injectable()
export class TriggerService {
  constructor(@Inject(CHANNEL) private readonly channel: ClientProxy) {}

  /** Emits every value of the answer. Unsubscribing cancels the handler. */
  send(pattern: Pattern, data: unknown): Observable<unknown> {
    return this.onceConnected(() => this.channel.send<unknown>(pattern, data));
  }

  /** Completes once the server has handed the event to its handlers. */
  emit(pattern: Pattern, data: unknown): Observable<unknown> {
    return this.onceConnected(() => this.channel.emit<unknown>(pattern, data));
  }

  private onceConnected(call: () => Observable<unknown>): Observable<unknown> {
    return defer(() => from(this.channel.connect())).pipe(
      timeout({ first: MAX_CONNECT_WAIT_MS, with: () => throwError(notConnectedYet) }),
      switchMap(call),
      catchError((error: unknown) => throwError(() => toCallFailure(error))),
    );
  }
}

function notConnectedYet(): TransportError {
  const message = `The server did not accept a connection within ${MAX_CONNECT_WAIT_MS} ms; the attempt continues, so try again later`;
  return new TransportError('ERR_CONNECT_TIMEOUT', message, { sent: false });
}

/** Converts the error of a call: failures of the channel, of its keys and of this app are kept, others come from the server. */
function toCallFailure(error: unknown): Error {
  if (error instanceof TransportError || error instanceof CryptoError || error instanceof HttpFailure) return error;
  if (error === NO_MESSAGE_HANDLER)
    return new HttpFailure('ERR_NO_HANDLER', 'The server has no handler for this pattern');
  return new HandlerFailure(error);
}
