/**
 * @typedef {object} Check
 * @property {string} model - a file in docs/model, without .pml
 * @property {readonly string[]} defines - the macros that vary the model
 * @property {string | undefined} property - the name of an LTL property; undefined: assertions and deadlocks
 * @property {boolean} holds - false: a violation has to be found, which shows that the model can fail
 */

/**
 * The properties that hold, for every variant of a model, in addition to its assertions.
 *
 * @type {readonly (readonly [model: string, defines: readonly string[], properties: readonly string[]])[]}
 */
const HOLDING = [
  ['handshake', [], ['opens_after_confirm', 'replay_never_opens', 'hands_over_once', 'answers_once']],
  ['instance', [], ['loses_nothing', 'window_is_its_own']],
  ['closing', [], ['both_end', 'serves_nothing_after_close']],
  ['closing', ['NO_DEADLINE'], ['both_end', 'serves_nothing_after_close', 'loses_nothing']],
  ['key-update', [], ['keys_agree']],
  ['credit', [], ['counts_agree', 'quiet_holds_nothing']],
  ['credit', ['WINDOW=5'], ['counts_agree', 'quiet_holds_nothing']],
  ['credit', ['SMALL'], ['bulk_goes_on']],
  ['renewal', [], ['never_without']],
  ['renewal', ['SERVER_AGE'], ['never_without']],
  ['slots', [], ['counts_agree', 'ends_agree']],
  ['slots', ['MAX=1'], ['counts_agree', 'ends_agree']],
];

/**
 * The violations that must be found: of a model that was broken on purpose, or of a claim that a good end is
 * impossible.
 *
 * @type {readonly (readonly [model: string, defines: readonly string[], property: string | undefined])[]}
 */
const VIOLATED = [
  ['handshake', ['BROKEN_NO_CONFIRM'], 'replay_never_opens'],
  ['handshake', ['BROKEN_NO_CONFIRM'], 'opens_after_confirm'],
  ['handshake', ['BROKEN_OLD_CONFIRM'], 'replay_never_opens'],
  ['handshake', ['BROKEN_NO_COUNTER'], 'hands_over_once'],
  ['handshake', [], 'never_works'],
  ['instance', ['BROKEN_WINDOW_BY_ID'], undefined],
  ['instance', ['BROKEN_WINDOW_BY_ID'], 'window_is_its_own'],
  ['instance', ['BROKEN_PROOF_OF_NO_SESSION'], undefined],
  ['instance', ['BROKEN_PROOF_OF_NO_KEY'], undefined],
  ['instance', [], 'never_all'],
  ['closing', ['BROKEN_NO_ANSWER', 'NO_DEADLINE'], undefined],
  ['closing', ['BROKEN_NO_ANSWER', 'NO_DEADLINE'], 'both_end'],
  ['closing', ['BROKEN_GOAWAY_FIRST'], undefined],
  ['closing', ['BROKEN_ANSWERS_AFTER_CLOSE'], undefined],
  ['closing', ['BROKEN_SERVES_AFTER_CLOSE'], undefined],
  ['closing', [], 'loses_nothing'],
  ['closing', [], 'never_crosses'],
  ['key-update', ['BROKEN_NEW_KEY_FIRST'], undefined],
  ['key-update', ['BROKEN_COUNTER_RESET'], undefined],
  ['key-update', ['BROKEN_BOTH_DIRECTIONS'], undefined],
  ['key-update', ['BROKEN_TOO_SOON'], undefined],
  ['key-update', [], 'never_both'],
  ['credit', ['WINDOW=3'], undefined], // as 131,040 would be
  ['credit', ['WINDOW=3'], 'quiet_holds_nothing'],
  ['credit', ['DUE=7'], undefined], // CREDIT that is never due
  ['credit', ['BROKEN_TOO_SOON'], undefined],
  ['credit', ['BROKEN_PONG_BEHIND_BULK'], undefined],
  ['credit', ['BROKEN_CREDIT_BEHIND_BULK'], undefined],
  ['credit', ['BROKEN_READING_WAITS'], undefined],
  ['credit', ['BROKEN_LATE_DOES_NOT_COUNT'], undefined],
  ['credit', ['BROKEN_LATE_DOES_NOT_COUNT'], 'counts_agree'],
  ['credit', ['SMALL', 'BROKEN_NO_SHARE'], 'bulk_goes_on'],
  ['credit', [], 'never_both'],
  ['renewal', ['BROKEN_MOVES_BEFORE_PONG'], undefined],
  ['renewal', ['BROKEN_GOAWAY_BEFORE_PONG'], undefined],
  ['renewal', ['BROKEN_GOAWAY_BEFORE_PONG'], 'never_without'],
  ['renewal', ['BROKEN_NO_BOUND'], undefined],
  ['renewal', ['BROKEN_DEADLINE'], undefined],
  ['renewal', ['SERVER_AGE', 'BROKEN_GOES_ON_AFTER_GOAWAY'], undefined],
  ['renewal', [], 'never_twice'],
  ['renewal', [], 'never_stays'],
  ['slots', ['BROKEN_FREES_EARLY'], undefined],
  ['slots', ['BROKEN_KEEPS_SLOT'], undefined],
  ['slots', ['BROKEN_KEEPS_SLOT'], 'counts_agree'],
  ['slots', [], 'never_all'],
];

/** @type {readonly Check[]} */
export const CHECKS = [
  ...HOLDING.flatMap(([model, defines, properties]) =>
    [undefined, ...properties].map((property) => ({ model, defines, property, holds: true })),
  ),
  ...VIOLATED.map(([model, defines, property]) => ({ model, defines, property, holds: false })),
];
