import { Inject, Injectable } from '@nestjs/common';
import { ClientProxy } from '@nestjs/microservices';
import { catchError, throwError } from 'rxjs';
import type { Observable } from 'rxjs';

import { CHANNEL } from '../channel.js';
import { toCallFailure } from './call-failure.js';
import type { Pattern } from './pattern.js';

/** Sends to the server app. Whatever fails is a failure that a call can be answered with. */
@Injectable()
export class TriggerService {
  constructor(@Inject(CHANNEL) private readonly channel: ClientProxy) {}

  /** Every value of the answer; unsubscribing cancels the handler. */
  send(pattern: Pattern, data: unknown): Observable<unknown> {
    return asCall(this.channel.send<unknown>(pattern, data));
  }

  /** Completes once the server has handed the event to its handlers. */
  emit(pattern: Pattern, data: unknown): Observable<unknown> {
    return asCall(this.channel.emit<unknown>(pattern, data));
  }
}

function asCall(values: Observable<unknown>): Observable<unknown> {
  return values.pipe(catchError((error: unknown) => throwError(() => toCallFailure(error))));
}
