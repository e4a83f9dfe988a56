import { Inject, Injectable } from '@nestjs/common';
import { ClientProxy } from '@nestjs/microservices';
import { CryptoError } from '@sealwire/crypto';
import { NO_MESSAGE_HANDLER, TransportError } from '@sealwire/transport';
import { catchError, defer, throwError } from 'rxjs';
import type { Observable } from 'rxjs';

import { CHANNEL } from '../channel/channel.js';
import { HandlerFailure } from '../http/failure/handler-failure.js';
import { HttpFailure } from '../http/failure/http-failure.js';
import type { Pattern } from './pattern.js';

/** Sends to the server app. Every error is converted to a failure that can be answered. */
@Injectable()
export class TriggerService {
  constructor(@Inject(CHANNEL) private readonly channel: ClientProxy) {}

  /** Emits every value of the answer. Unsubscribing cancels the handler. */
  send(pattern: Pattern, data: unknown): Observable<unknown> {
    return withCallFailures(() => this.channel.send<unknown>(pattern, data));
  }

  /** Completes once the server has handed the event to its handlers. */
  emit(pattern: Pattern, data: unknown): Observable<unknown> {
    return withCallFailures(() => this.channel.emit<unknown>(pattern, data));
  }
}

function withCallFailures(call: () => Observable<unknown>): Observable<unknown> {
  return defer(call).pipe(catchError((error: unknown) => throwError(() => toCallFailure(error))));
}

/** Converts the error of a call: failures of the channel, of its keys and of this app are kept, others come from the server. */
function toCallFailure(error: unknown): Error {
  if (error instanceof TransportError || error instanceof CryptoError || error instanceof HttpFailure) return error;
  if (error === NO_MESSAGE_HANDLER)
    return new HttpFailure('ERR_NO_HANDLER', 'The server has no handler for this pattern');
  return new HandlerFailure(error);
}
