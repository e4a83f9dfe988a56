import { expected, type Attack, type Observation, type Target } from './attack.js';
import { cleanUp } from './clean-up.js';

const ATTACK_DEADLINE_MS = 120_000;

export interface Result {
  readonly row: number;
  readonly name: string;
  readonly target: Target;
  /** BROKEN: the attack itself did not work, so that nothing was shown. */
  readonly outcome: Observation['outcome'] | 'BROKEN';
  readonly expected: Observation['outcome'];
  readonly saw: string;
  readonly milliseconds: number;
}

/** Runs the attacks one after the other, so that none disturbs the times of another. */
export async function* runAttacks(attacks: readonly Attack[]): AsyncGenerator<Result> {
  for (const { row, name, against } of attacks) {
    for (const target of Object.keys(against) as Target[]) {
      const run = against[target];
      if (run === undefined) continue;
      const startMs = performance.now();
      const { outcome, saw } = await observe(run);
      const milliseconds = Math.round(performance.now() - startMs);
      yield { row, name, target, outcome, expected: expected(target), saw, milliseconds };
    }
  }
}

export function isAsExpected(result: Result): boolean {
  return result.outcome === result.expected;
}

async function observe(run: () => Promise<Observation>): Promise<Pick<Result, 'outcome' | 'saw'>> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`No end within ${ATTACK_DEADLINE_MS} ms`)), ATTACK_DEADLINE_MS);
  });
  try {
    return await Promise.race([run(), expired]);
  } catch (error) {
    return { outcome: 'BROKEN', saw: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
    await cleanUp();
  }
}
