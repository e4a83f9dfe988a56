import type { ServerStream } from '@sealwire/channel';
import { clock, Deadline } from '@sealwire/channel/internal';

/** The deadlines of requests, which run from the first frame of each (docs/protocol.md §6.8). */
export class RequestDeadlines {
  readonly #onExpired: (stream: ServerStream) => void;
  /** The deadlines of requests that no handler has yet: they are incomplete, or a deserializer is pending. */
  #early: Map<ServerStream, Deadline> | undefined;

  constructor(onExpired: (stream: ServerStream) => void) {
    this.#onExpired = onExpired;
  }

  /** Starts the deadline until a handler has the request. Further calls do nothing. @param timeoutMs - 0: none. */
  startEarly(stream: ServerStream, timeoutMs: number): void {
    if (this.#early?.has(stream)) return;
    const deadline = this.start(stream, Math.max(0, leftMs(stream, timeoutMs)));
    if (deadline !== undefined) (this.#early ??= new Map()).set(stream, deadline);
  }

  clearEarly(stream: ServerStream): void {
    this.#early?.get(stream)?.clear();
    this.#early?.delete(stream);
  }

  /** Ends the early deadline. @returns The time that is left; Infinity if there is no timeout. */
  takeLeftMs(stream: ServerStream, timeoutMs: number): number {
    const early = this.#early?.get(stream);
    if (early === undefined) return leftMs(stream, timeoutMs);
    this.clearEarly(stream);
    return early.leftMs;
  }

  start(stream: ServerStream, delayMs: number): Deadline | undefined {
    return delayMs === Infinity ? undefined : new Deadline(delayMs, () => this.#onExpired(stream));
  }
}

function leftMs({ firstFrameMs }: ServerStream, timeoutMs: number): number {
  return timeoutMs > 0 ? firstFrameMs + timeoutMs - clock.nowMs() : Infinity;
}
