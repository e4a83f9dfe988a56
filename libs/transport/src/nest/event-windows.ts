import { EventWindow } from '../frame/event-window.js';

/** How long a server remembers the events of a client that is gone. */
const KEPT_MS = 600_000;
/** Clients remembered at most; each must have proved the key. The one unseen for longest is forgotten first. */
const MAX_WINDOWS = 10_000;

interface Kept {
  readonly window: EventWindow;
  seenMs: number;
}

/** The event windows of one server, by the instance id of the client (docs/protocol.md §6.7). */
export class EventWindows {
  readonly #size: number;
  /** In the order in which they were last seen. */
  readonly #kept = new Map<string, Kept>();

  constructor(size: number) {
    this.#size = size;
  }

  /** The window of a client that connects. */
  of(instanceId: Buffer): EventWindow {
    const nowMs = performance.now();
    this.#forget(nowMs);
    const id = instanceId.toString('latin1');
    const window = this.#kept.get(id)?.window ?? new EventWindow(this.#size);
    this.#touch(id, window, nowMs);
    return window;
  }

  /** The client is gone: its time begins to run. */
  left(instanceId: Buffer): void {
    const id = instanceId.toString('latin1');
    const kept = this.#kept.get(id);
    if (kept !== undefined) this.#touch(id, kept.window, performance.now());
  }

  #touch(id: string, window: EventWindow, seenMs: number): void {
    this.#kept.delete(id);
    this.#kept.set(id, { window, seenMs });
  }

  #forget(nowMs: number): void {
    for (const [id, { seenMs }] of this.#kept) {
      if (nowMs - seenMs < KEPT_MS && this.#kept.size < MAX_WINDOWS) return;
      this.#kept.delete(id);
    }
  }
}
