import { AsyncResource } from 'node:async_hooks';

import type { ClientConnectionEvent } from '@sealwire/channel';
import { Subject } from 'rxjs';

import { runApart } from '../async-context.js';

/** The events of the current `net.Socket`. */
export type SealwireClientEvents = {
  /** Fires when the socket failed. */
  error: (error: Error) => void;
  /** Fires when the server has ended its side of the connection. */
  end: () => void;
  /** Fires when the socket is closed. */
  close: () => void;
  /** Fires when the socket accepts bytes again. */
  drain: () => void;
};

/** Returns the `status` that Nest shows after an event of one server; undefined if the event does not change it. */
export function statusAfter({ type }: ClientConnectionEvent): 'connected' | 'disconnected' | undefined {
  switch (type) {
    case 'connected':
    case 'renewed':
      return 'connected';
    case 'draining':
    case 'disconnected':
    case 'failed':
      return 'disconnected';
    case 'connecting':
    case 'renewalFailed':
    case 'eventFailed':
      return undefined;
  }
}

/** The events of a client, emitted one after the other. */
export class ClientEvents {
  readonly subject = new Subject<ClientConnectionEvent>();
  readonly #home = new AsyncResource('SEALWIRE_CLIENT');
  readonly #first: (event: ClientConnectionEvent) => void;
  /** The event that is being emitted, then the events that its listeners have caused. */
  readonly #pending: ClientConnectionEvent[] = [];

  /** @param first - The client's own listener, called before those of users. */
  constructor(first: (event: ClientConnectionEvent) => void) {
    this.#first = first;
  }

  /**
   * Emits an event to all listeners before any of them gets the next event. Listeners do not run in the async context of
   * the call that caused the event.
   */
  emit(event: ClientConnectionEvent): void {
    this.#pending.push(event);
    if (this.#pending.length > 1) return;
    try {
      for (const next of this.#pending) {
        runApart(this.#home, () => {
          this.#first(next);
          this.subject.next(next);
        });
      }
    } finally {
      this.#pending.length = 0; // otherwise no further event would be emitted
    }
  }
}
