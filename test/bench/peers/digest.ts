import { pbkdf2Sync } from 'node:crypto';

/** About a millisecond of one core. */
const ITERATIONS = 1_500;

/** A digest that costs processor time and nothing else. */
export function digestOf(text: string): string {
  return pbkdf2Sync(text, 'sealwire', ITERATIONS, 32, 'sha256').toString('hex');
}
