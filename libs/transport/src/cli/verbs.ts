import { CALL_VERBS } from './calls/verbs.js';
import { KEY_VERBS, KEYRING_VERBS } from './keys/verbs.js';
import type { Verb } from './verb.js';

/** All verbs, in the order of the help. */
export const VERBS: readonly Verb[] = [...KEY_VERBS, ...KEYRING_VERBS, ...CALL_VERBS];
