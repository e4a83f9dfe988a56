import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';

const TICK_MS = 20;
const LOOK_MS = 20;
const MAX_WAIT_MS = 5_000;
/** They come and go without a doing of the run. */
const PASSING = new Set(['Immediate', 'TickObject']);

/** What a run leaves behind in its process: sockets, timers and other handles, errors without a catcher, warnings. */
export class Residue {
  readonly #before: ReadonlyMap<string, number>;
  readonly #failures: string[] = [];
  readonly #note =
    (what: string) =>
    (error: unknown): void =>
      void this.#failures.push(`${what}: ${inspect(error, { depth: 2 })}`);
  readonly #listeners = {
    uncaughtException: this.#note('an uncaught exception'),
    unhandledRejection: this.#note('an unhandled rejection'),
    warning: this.#note('a warning'),
  };
  readonly #ticking: NodeJS.Timeout;
  /** How late a timer was at most. */
  maxLagMs = 0;

  constructor() {
    for (const stream of [process.stdout, process.stderr]) void stream.writable; // opened by the first use
    this.#before = activeResources();
    for (const [event, listener] of Object.entries(this.#listeners)) process.on(event, listener);
    let lastMs = performance.now();
    this.#ticking = setInterval(() => {
      const nowMs = performance.now();
      this.maxLagMs = Math.max(this.maxLagMs, nowMs - lastMs - TICK_MS);
      lastMs = nowMs;
    }, TICK_MS);
  }

  /** Returns what is wrong. */
  async end(): Promise<readonly string[]> {
    clearInterval(this.#ticking);
    const untilMs = performance.now() + MAX_WAIT_MS;
    let left = this.#left();
    while (left.length > 0 && performance.now() < untilMs) {
      await delay(LOOK_MS);
      left = this.#left();
    }
    for (const [event, listener] of Object.entries(this.#listeners)) process.off(event, listener);
    return left.length === 0 ? this.#failures : [...this.#failures, `left after the run: ${left.join(', ')}`];
  }

  #left(): readonly string[] {
    return [...activeResources()].flatMap(([kind, count]) => {
      const more = count - (this.#before.get(kind) ?? 0);
      return more > 0 ? [`${more} ${kind}`] : [];
    });
  }
}

function activeResources(): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo())
    if (!PASSING.has(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}
