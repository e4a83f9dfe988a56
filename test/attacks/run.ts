import { NotLogged } from '../support/app-process.js';
import { NeverHeard } from '../support/rogue-peer.js';
import { expected, NotCarriedOut, type Attack, type Observation, type Target } from './attack.js';
import { cleanUp } from './clean-up.js';

const ATTACK_DEADLINE_MS = 240_000;
const MAX_TRIES = 3;
const NOT_YET = [NotCarriedOut, NeverHeard, NotLogged];
/** What the system says when it has no room or no time for a connection. */
const SYSTEM_CODES: ReadonlySet<unknown> = new Set(['ECONNREFUSED', 'ECONNRESET', 'EMFILE', 'EPIPE', 'ETIMEDOUT']);

export interface Result {
  readonly row: number;
  readonly name: string;
  readonly target: Target;
  /** UNDONE: it could not be carried out, however often it was tried. BROKEN: its own code failed. Neither shows anything. */
  readonly outcome: Observation['outcome'] | 'UNDONE' | 'BROKEN';
  readonly expected: Observation['outcome'];
  readonly saw: string;
  readonly milliseconds: number;
}

/** Runs the attacks that this machine can carry out, one after the other, so that none disturbs the times of another. */
export async function* runAttacks(
  attacks: readonly Attack[],
  onStarted: (attack: Attack, target: Target) => void = () => undefined,
): AsyncGenerator<Result> {
  for (const attack of attacks.filter(({ lacks }) => lacks === undefined)) {
    const { row, name, against } = attack;
    for (const target of Object.keys(against) as Target[]) {
      const run = against[target];
      if (run === undefined) continue;
      onStarted(attack, target);
      const startMs = performance.now();
      const { outcome, saw } = await observeAgain(run);
      const milliseconds = Math.round(performance.now() - startMs);
      yield { row, name, target, outcome, expected: expected(attack, target), saw, milliseconds };
    }
  }
}

export function isAsExpected(result: Result): boolean {
  return result.outcome === result.expected;
}

type Seen = Pick<Result, 'outcome' | 'saw'>;

/** Repeats an attack that could not be carried out, as on a machine that is busy. */
async function observeAgain(run: () => Promise<Observation>): Promise<Seen> {
  const reasons: string[] = [];
  while (reasons.length < MAX_TRIES) {
    const seen = await observe(run);
    if (seen.outcome !== 'UNDONE') return seen;
    reasons.push(seen.saw);
  }
  return { outcome: 'UNDONE', saw: `not carried out in ${MAX_TRIES} tries: ${[...new Set(reasons)].join('; ')}` };
}

async function observe(run: () => Promise<Observation>): Promise<Seen> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new NotCarriedOut(`No end within ${ATTACK_DEADLINE_MS} ms`)), ATTACK_DEADLINE_MS);
  });
  try {
    return await Promise.race([run(), expired]);
  } catch (error) {
    const saw = error instanceof Error ? error.message : String(error);
    return { outcome: isPassing(error) ? 'UNDONE' : 'BROKEN', saw };
  } finally {
    clearTimeout(timer);
    await cleanUp();
  }
}

/** Whether another try may get further. */
function isPassing(error: unknown): boolean {
  return (
    NOT_YET.some((kind) => error instanceof kind) ||
    (error instanceof Error && 'code' in error && SYSTEM_CODES.has(error.code))
  );
}
