// One target in this thread: inputs one after the other, until the time or the number of them is over.
import { setTimeout as delay } from 'node:timers/promises';
import { hashText, Random } from '../support/random.js';
import { OK } from './target.js';
import type { Target } from './target.js';

export interface Budget {
  readonly seed: number;
  /** The number of the first input. */
  readonly from: number;
  readonly inputs: number;
  readonly ms: number;
}

/** A finding, with everything that is needed to reproduce it. */
export interface Finding {
  readonly target: string;
  readonly seed: number;
  /** The number of the input. */
  readonly at: number;
  readonly hex: string;
  readonly what: string;
}

export interface Result {
  readonly target: string;
  readonly inputs: number;
  readonly ms: number;
  readonly outcomes: ReadonlyMap<string, number>;
  /** The memory in use after a garbage collection: after the first inputs, and at the end. */
  readonly memoryBytes: readonly [before: number, after: number];
  readonly finding: Finding | undefined;
}

const WARM_UP_INPUTS = 2000;
const WARM_UP_MS = 2000;
/** Inputs between two looks at the clock. */
const STRETCH = 32;
/** An input of a target that is slow by itself takes some milliseconds. */
const MAX_INPUT_MS = 2000;
const SETTLE_MS = 100;
/** Code that is compiled late, and tables that grow once. */
const MAX_GROWTH_BYTES = 8 * 1024 * 1024;

/** Input number `at` of a run: it depends on nothing else. */
export function inputOf(target: Target, seed: number, at: number): Buffer {
  return target.make(new Random(seed, hashText(target.name), at));
}

/** @param begin - Called with the number of each input before it runs. */
export async function runTarget(target: Target, budget: Budget, begin: (at: number) => void): Promise<Result> {
  const run = new Run(target, budget.seed, begin);
  const startMs = performance.now();
  await run.go(budget.from, Math.min(budget.inputs, WARM_UP_INPUTS), startMs + Math.min(budget.ms, WARM_UP_MS));
  const before = await memoryBytes();
  await run.go(budget.from + run.inputs, budget.inputs - run.inputs, startMs + budget.ms);
  const ms = performance.now() - startMs;
  await target.stop?.();
  const after = await memoryBytes();
  const growth = after - before;
  if (growth > MAX_GROWTH_BYTES) run.fail(budget.from + run.inputs, `memory has grown by ${growth} bytes`);
  const { inputs, outcomes, finding } = run;
  return { target: target.name, inputs, ms, outcomes, memoryBytes: [before, after], finding };
}

/** @returns What is wrong with what the target made of `input`; undefined where nothing is. */
export async function runInput(target: Target, input: Buffer): Promise<{ outcome: string; wrong: string | undefined }> {
  const startMs = performance.now();
  try {
    const running = target.run(input);
    const outcome = typeof running === 'string' ? running : await running;
    const ms = performance.now() - startMs;
    if (outcome !== OK && !target.codes.includes(outcome))
      return { outcome, wrong: `${outcome} is not an outcome of it` };
    return { outcome, wrong: ms > MAX_INPUT_MS ? `it took ${ms.toFixed(0)} ms` : undefined };
  } catch (error) {
    return { outcome: 'thrown', wrong: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

class Run {
  readonly #target: Target;
  readonly #seed: number;
  readonly #begin: (at: number) => void;
  readonly outcomes = new Map<string, number>();
  inputs = 0;
  finding: Finding | undefined;

  constructor(target: Target, seed: number, begin: (at: number) => void) {
    this.#target = target;
    this.#seed = seed;
    this.#begin = begin;
  }

  async go(from: number, inputs: number, untilMs: number): Promise<void> {
    for (let at = from; at < from + inputs && this.finding === undefined; at++) {
      if (at % STRETCH === 0 && performance.now() > untilMs) return;
      this.#begin(at);
      const { outcome, wrong } = await runInput(this.#target, inputOf(this.#target, this.#seed, at));
      this.inputs += 1;
      this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
      if (wrong !== undefined) this.fail(at, wrong);
    }
  }

  fail(at: number, what: string): void {
    this.finding ??= {
      target: this.#target.name,
      seed: this.#seed,
      at,
      hex: inputOf(this.#target, this.#seed, at).toString('hex'),
      what,
    };
  }
}

/** The memory of an OpenSSL handle is freed only after a turn of the event loop. */
async function memoryBytes(): Promise<number> {
  globalThis.gc?.();
  await delay(SETTLE_MS);
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
