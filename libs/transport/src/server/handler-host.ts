import type { Deserializer, MessageHandler, MsPattern, Serializer } from '@nestjs/microservices';
import type { EventWindow, RunningInServer, Peer } from '@sealwire/channel/internal';

import type { SealwirePeer } from '../handler/context.js';
import type { ProcessingHooks } from '../handler/processing-hooks.js';
import type { SealwireLimits } from '../handler-limits.js';
import type { FailureLog } from '../log/failure-log.js';
import type { WaitingBytes } from '../packet/waiting-messages.js';

/** The parts of a server that the dispatchers of its connections share. */
export interface HandlerHost {
  readonly hooks: ProcessingHooks;
  readonly serializer: Serializer | undefined;
  readonly deserializer: Deserializer | undefined;
  readonly runningInServer: RunningInServer;
  /** The bytes of messages that wait for the deserializer or for a place. */
  readonly waiting: WaitingBytes;
  findHandler(route: string): MessageHandler | null;
  toRoute(pattern: MsPattern): string;
  readonly failures: FailureLog;
  /** Reports a message that was refused with ERR_OVERLOADED. @param pattern - Undefined if it had not arrived yet. */
  onOverloaded(kind: 'request' | 'event', pattern: string | undefined): void;
  /** Reports a message that was refused because the key of its client may not call the pattern. */
  onForbidden(kind: 'request' | 'event', pattern: string, peer: SealwirePeer): void;
  /** Reports the failure of an event handler, because an event has no caller to reject. */
  onEventFailed(error: unknown, pattern: string): void;
}

export interface DispatcherOptions {
  readonly host: HandlerHost;
  readonly peer: Peer;
  /** The events of this client that have been handed over. */
  readonly window: EventWindow;
  readonly limits: Pick<SealwireLimits, 'maxJsonNodes' | 'maxRunning' | 'maxRunningBytes'>;
}
