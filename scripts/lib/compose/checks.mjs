import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { Failure, oneLine } from '../command.mjs';

const POLL_INTERVAL_MS = 100;

/** Checks one after the other, one line for each. */
export class Checks {
  passed = 0;
  failed = 0;
  /** @readonly */
  #stop;

  /** @param {AbortSignal} stop */
  constructor(stop) {
    this.#stop = stop;
  }

  /** @param {() => Promise<string | void>} work - Throws where the check fails; may return a detail to print. */
  async check(name, work) {
    try {
      const detail = await work();
      this.passed += 1;
      console.log(`ok ${name}${detail ? ` (${detail})` : ''}`);
      return true;
    } catch (error) {
      this.#stop.throwIfAborted();
      this.failed += 1;
      console.log(`not ok ${name}: ${oneLine(error.message)}`);
      return false;
    }
  }

  /** As `check`, and everything that follows depends on it. */
  async need(name, work) {
    if (!(await this.check(name, work))) throw new Failure(`it depends on "${name}"`);
  }

  /** Resolves with what `look` finds as soon as it is not undefined. */
  async until(what, timeoutMs, look) {
    const late = AbortSignal.timeout(timeoutMs);
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      if (late.aborted) throw new Failure(`${what} within ${timeoutMs / 1000} s`);
      await delay(POLL_INTERVAL_MS, undefined, { signal: this.#stop });
    }
  }
}

/** @throws {Failure} that tells both values, where they are not the same. */
export function expectEqual(what, actual, expected) {
  if (isDeepStrictEqual(actual, expected)) return;
  throw new Failure(`${what}: ${JSON.stringify(actual)}, not ${JSON.stringify(expected)}`);
}

/** @throws {Failure} that says `what`, where it is not so. */
export function expectTrue(what, isSo) {
  if (!isSo) throw new Failure(what);
}
