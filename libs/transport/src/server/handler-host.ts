import type { Deserializer, MessageHandler, MsPattern, Serializer } from '@nestjs/microservices';
import type { PeerInfo } from '@sealwire/channel';
import type { EventWindow } from '@sealwire/channel/internal';

import type { HandlerPlaces } from '../handler/handler-places.js';
import type { ProcessingHooks } from '../handler/processing-hooks.js';
import type { SealwireLimits } from '../limits.js';
import type { FailureLog } from '../log/failure-log.js';
import type { WaitingBytes } from '../packet/waiting-messages.js';

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
  readonly limits: Pick<SealwireLimits, 'maxJsonNodes' | 'maxRunning' | 'maxRunningBytes'>;
}
