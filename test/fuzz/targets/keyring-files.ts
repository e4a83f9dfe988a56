// The text of a keyring file, as somebody edits it by hand.
import { SecretKey } from '../../../libs/crypto/src/keys/secret-key.js';
import { formatKeyringFile, isKeyringFile, parseKeyringFile } from '../../../libs/crypto/src/ring-file/ring-file.js';
import { mutate } from '../mutate.js';
import { Random } from '../../support/random.js';
import { hold, outcomeOf } from '../target.js';
import type { Target } from '../target.js';
import { anyJson } from './json.js';

/** The same in every process, because an input has to do the same again. */
const KEYS = ['one', 'two', 'three'].map((label, index) => ({
  bytes: new Uint8Array(new Random(index).bytes(32)),
  label,
}));
const KNOWN = new Map(KEYS.map(({ bytes, label }) => entryOf(bytes, label)).map(({ key }) => [key.id, key]));

function entryOf(bytes: Uint8Array, label: string) {
  return { bytes, key: SecretKey.fromBytes(bytes, label, { label, patterns: ['sum', `${label}.*`] }) };
}

function anyRing(random: Random): Buffer {
  const entries = KEYS.slice(0, 1 + random.below(KEYS.length)).map(({ bytes, label }, index) => ({
    bytes,
    key: entryOf(bytes, label).key,
    state: index === 0 ? ('primary' as const) : ('accept' as const),
    notBefore: random.oneIn(2) ? random.u32() : undefined,
    notAfter: random.oneIn(2) ? 2 ** 33 + random.u32() : undefined,
  }));
  return Buffer.from(formatKeyringFile(entries));
}

/** Another value, or another name, in the place of one. */
function edited(ring: Buffer, random: Random): Buffer {
  const tokens = String(ring).match(/"[^"]*"|[[\]{},:]|\s+/g) ?? [];
  const token = (): string => tokens[random.below(tokens.length)] ?? '';
  const at = random.below(tokens.length);
  tokens[at] = random.pick([token(), anyJson(random).toString(), '', '"2027-01-31T12:00:00Z"', '"x*"']);
  return Buffer.from(tokens.join(''));
}

export const keyringFiles: Target = {
  name: 'keyring files',
  codes: [
    'ERR_KEYRING_JSON',
    'ERR_KEYRING_FORMAT',
    'ERR_KEYRING_ID',
    'ERR_KEYRING_DUPLICATE',
    'ERR_KEYRING_PRIMARY',
    'ERR_KEYRING_SIZE',
  ],
  make(random) {
    if (random.oneIn(8)) return anyJson(random);
    return random.oneIn(2) ? mutate(anyRing(random), random) : edited(anyRing(random), random);
  },
  run(input) {
    return outcomeOf(() => {
      const entries = parseKeyringFile(input, 'The input', KNOWN);
      hold(isKeyringFile(input), 'a ring that does not look like one');
      hold(
        entries.every(({ key }) => KNOWN.has(key.id)),
        'a key that nobody made',
      );
      const again = parseKeyringFile(formatKeyringFile(entries), 'The output', KNOWN);
      hold(JSON.stringify(again) === JSON.stringify(entries), 'another ring after it was written and read');
    });
  },
};
