import { clock } from '../clock.js';
import { EventWindow } from '../frame/event-window.js';

/** How long a server remembers the events of a client that is gone. */
const KEPT_MS = 600_000;
/** Clients remembered at most, beside those that are connected. The one gone for longest is forgotten first. */
const MAX_WINDOWS = 10_000;

interface Used {
  readonly window: EventWindow;
  readonly connections: number;
}

interface Kept {
  readonly window: EventWindow;
  readonly leftMs: number;
}

/** The event windows of one server, by the instance key that the client has proved (docs/protocol.md §4.8, §6.7). */
export class EventWindows {
  readonly #size: number;
  /** Of clients that are connected: however long that lasts, none of them is forgotten. */
  readonly #used = new Map<string, Used>();
  /** Of clients that are gone, in the order in which they left. */
  readonly #kept = new Map<string, Kept>();

  constructor(size: number) {
    this.#size = size;
  }

  /** The window of a client that connects; several connections of one client share it. */
  of(instanceKey: Buffer): EventWindow {
    this.#forget(clock.nowMs());
    const name = instanceKey.toString('latin1');
    const used = this.#used.get(name);
    const window = used?.window ?? this.#kept.get(name)?.window ?? new EventWindow(this.#size);
    this.#kept.delete(name);
    this.#used.set(name, { window, connections: (used?.connections ?? 0) + 1 });
    return window;
  }

  /** A connection of the client is gone; with the last one its time begins to run. */
  left(instanceKey: Buffer): void {
    const name = instanceKey.toString('latin1');
    const used = this.#used.get(name);
    if (used === undefined) return;
    if (used.connections > 1) {
      this.#used.set(name, { ...used, connections: used.connections - 1 });
      return;
    }
    this.#used.delete(name);
    this.#kept.set(name, { window: used.window, leftMs: clock.nowMs() });
  }

  #forget(nowMs: number): void {
    for (const [name, { leftMs }] of this.#kept) {
      if (nowMs - leftMs < KEPT_MS && this.#kept.size < MAX_WINDOWS) return;
      this.#kept.delete(name);
    }
  }
}
