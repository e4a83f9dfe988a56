import { KeptByInstance } from '../kept-by-instance.js';
import { EventWindow } from '../streams/events/event-window.js';

/** How long a server remembers the events of a client that has left. */
const KEPT_MS = 600_000;
/** The maximum number of remembered clients that are not connected. */
const MAX_WINDOWS = 10_000;

/** The event windows of one server by the verified instance key of the client (docs/protocol.md §4.8, §6.7). */
export class EventWindows extends KeptByInstance<EventWindow> {
  /** @param size - The `maxInFlight` that this server announces. */
  constructor(size: number) {
    super({ create: () => new EventWindow(size), keptMs: KEPT_MS, maxKept: MAX_WINDOWS });
  }
}
