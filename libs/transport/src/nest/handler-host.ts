import type { Deserializer, MessageHandler, MsPattern, Serializer } from '@nestjs/microservices';

import type { EventWindow } from '../frame/event-window.js';
import type { Limits } from '../limits.js';
import type { FailureLog } from './failure-log.js';
import type { HandlerPlaces } from './handler-places.js';
import type { PeerInfo } from './server-link.js';
import type { ProcessingHooks } from './processing-hooks.js';
import type { WaitingBytes } from './waiting-messages.js';

/** What a server lends to the dispatchers of its connections. */
export interface HandlerHost {
  readonly hooks: ProcessingHooks;
  readonly serializer: Serializer | undefined;
  readonly deserializer: Deserializer | undefined;
  readonly places: HandlerPlaces;
  /** Messages that have no place yet. */
  readonly waiting: WaitingBytes;
  findHandler(route: string): MessageHandler | null;
  toRoute(pattern: MsPattern): string;
  readonly failures: FailureLog;
  /** A message was refused with ERR_OVERLOADED, as there was no room for it. @param pattern - Undefined: it had not come. */
  overloaded(kind: 'request' | 'event', pattern: string | undefined): void;
  /** The handler of an event, which has no caller that could be told. */
  eventFailed(error: unknown, pattern: string): void;
}

export interface DispatcherOptions {
  readonly host: HandlerHost;
  readonly peer: PeerInfo;
  /** Which events of this client have been handed over. */
  readonly window: EventWindow;
  readonly limits: Pick<Limits, 'maxJsonNodes' | 'maxRunning' | 'maxRunningBytes'>;
}
