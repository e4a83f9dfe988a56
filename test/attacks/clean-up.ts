import { endAll } from '../support/pair.js';

const pending: (() => unknown)[] = [];

/** Runs after the attack that is under way, the last one first. */
export function atEnd(end: () => unknown): void {
  pending.push(end);
}

/** Ends whatever an attack has started. */
export async function cleanUp(): Promise<void> {
  for (const end of pending.splice(0).toReversed()) await end();
  await endAll();
}
