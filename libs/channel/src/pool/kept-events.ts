import type { TransportError } from '../errors.js';

/** The events of lost connections, which wait to be sent again to the same server instance (docs/protocol.md §6.7). */
export interface KeptEvents {
  readonly keptCount: number;
  /** @param serverId - A server instance; undefined: any. */
  hasKept(serverId?: string): boolean;
  /** Fails the events of a server instance that is gone with the loss of their connection. */
  giveUp(serverId: string): void;
  /** Fails those events of a server instance that may run twice, so that they move to another server. */
  moveRepeatable(serverId: string): void;
  giveUpAll(reason: TransportError): void;
  /** Resolves when no event is kept, or after `timeoutMs`. */
  whenNoneKept(timeoutMs: number): Promise<void>;
}

export const NO_KEPT_EVENTS: KeptEvents = {
  keptCount: 0,
  hasKept: () => false,
  giveUp: () => undefined,
  moveRepeatable: () => undefined,
  giveUpAll: () => undefined,
  whenNoneKept: () => Promise.resolve(),
};
