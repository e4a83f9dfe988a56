/** One piece of work, done in several ways that a test elsewhere holds equal. */
export interface MicroCase {
  readonly name: string;
  /** The first is ours, the last is what the others are compared with. */
  readonly ways: readonly Way[];
  /** How often a way is called for one reading of the clock, so that the reading costs nothing beside it. */
  readonly callsPerSample: number;
}

export interface Way {
  readonly name: string;
  readonly run: () => unknown;
  /** `run` returns a promise, which is awaited. */
  readonly isAsync?: true;
}

/** About as long for one sample whatever the size. */
export function callsFor(bytes: number): number {
  return Math.max(1, Math.min(32, Math.round(32_000 / (bytes + 1000))));
}
