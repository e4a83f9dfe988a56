import { KeptByInstance } from '../kept-by-instance.js';
import { EventSequence } from '../streams/event-sequence.js';

/**
 * Longer than a server keeps the window of a client that has left. The server may notice the end of the connection only
 * when the session is 24 h old, and then keeps the window for 10 minutes.
 */
const KEPT_MS = 90_000_000;
const MAX_SEQUENCES = 10_000;

/** The event sequences of one client by the instance id of the server (docs/protocol.md §6.7). */
export class EventSequences extends KeptByInstance<EventSequence> {
  constructor() {
    super({ create: () => new EventSequence(), keptMs: KEPT_MS, maxKept: MAX_SEQUENCES });
  }
}
