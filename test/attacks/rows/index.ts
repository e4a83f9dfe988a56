import type { Attack } from '../attack.js';
import { EQUALITY } from './equality.js';
import { IDENTITY } from './identity.js';
import { REPLAY } from './replay.js';
import { PADDING_ORACLE } from './padding-oracle.js';
import { TAMPERING } from './tampering.js';

/** All attacks, in the order of their rows. */
export const ATTACKS: readonly Attack[] = [...TAMPERING, ...PADDING_ORACLE, ...EQUALITY, ...REPLAY, ...IDENTITY].sort(
  (one, other) => one.row - other.row,
);
