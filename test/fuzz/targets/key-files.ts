// docs/protocol.md §2: what a file has to be to become a key.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SecretKey } from '../../../libs/crypto/src/keys/secret-key.js';
import { loadKeyFile } from '../../../libs/crypto/src/key-file/load.js';
import { LegacyKey } from '../../../libs/transport/src/legacy/wire/legacy-key.js';
import { CiphertextGatherer, decodeMessage, encodeMessage } from '../../../libs/transport/src/legacy/wire/message.js';
import { mutate, pieces } from '../mutate.js';
import { Random } from '../../support/random.js';
import { codeOf, hold, OK, outcomeOf } from '../target.js';
import type { Target } from '../target.js';

const PUBLISHED = Buffer.from(Array.from({ length: 32 }, (_, i) => 3 + 7 * i));
const WEAK = [
  'ERR_KEY_REPEATED_BYTE',
  'ERR_KEY_TEXT',
  'ERR_KEY_FEW_VALUES',
  'ERR_KEY_PATTERN',
  'ERR_KEY_PUBLISHED',
] as const;
/** What a key that is strong by the model can be refused for: text in other encodings, sequences, published values. */
const BEYOND_THE_MODEL: ReadonlySet<string> = new Set(['ERR_KEY_TEXT', 'ERR_KEY_PATTERN', 'ERR_KEY_PUBLISHED']);

/** 32 bytes in most cases, strong in some. */
function anyKey(random: Random): Buffer {
  const from = random.pick([1, 2, 16, 17, 24, 95, 256]);
  const base = from === 95 ? 0x20 : random.below(256);
  if (random.oneIn(16)) return PUBLISHED;
  return Buffer.from(Array.from({ length: 32 }, () => (base + random.below(from)) & 0xff));
}

function isStrong(key: Buffer): boolean {
  const isText = key.every((byte) => (byte >= 0x20 && byte < 0x7f) || (byte > 8 && byte < 14));
  return new Set(key).size > 16 && !isText;
}

export const keys: Target = {
  name: 'keys',
  codes: [...WEAK, 'ERR_KEY_LENGTH'],
  make: (random) => (random.oneIn(8) ? mutate(anyKey(random), random) : anyKey(random)),
  run(input) {
    const outcome = outcomeOf(() => SecretKey.fromBytes(input));
    const strong = input.length === 32 && isStrong(input);
    const agrees = strong === (outcome === OK) || (strong && BEYOND_THE_MODEL.has(outcome));
    hold(agrees, `${outcome}, against the model`);
    return outcome;
  },
};

const folder = mkdtempSync(join(tmpdir(), 'sealwire-fuzz-'));
const FILE = join(folder, 'key');
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

/** mode(2) ‖ contents */
export const keyFiles: Target = {
  name: 'key files',
  codes: [...WEAK, 'ERR_KEY_FILE_LENGTH', 'ERR_KEY_FILE_MODE'],
  make(random) {
    const mode = random.oneIn(2) ? 0o600 : 0o400 | random.below(0o1000);
    const key = anyKey(random);
    const contents = random.oneIn(3) ? mutate(key, random) : key;
    return Buffer.concat([Buffer.of(mode >> 8, mode), contents]);
  },
  async run(input) {
    const mode = input.length < 2 ? 0o600 : 0o400 | (input.readUInt16BE(0) & 0o777);
    const contents = input.subarray(2);
    rmSync(FILE, { force: true });
    writeFileSync(FILE, contents, { mode: 0o600 });
    chmodSync(FILE, mode);
    try {
      const key = await loadKeyFile(FILE);
      hold((mode & 0o077 & (process.geteuid?.() === 0 ? 0o037 : 0o077)) === 0, `mode ${mode.toString(8)} was accepted`);
      hold(contents.equals(key) && contents.length === 32 && isStrong(contents), 'an invalid key was accepted');
      return OK;
    } catch (error) {
      return codeOf(error);
    }
  },
  stop: () => Promise.resolve(rmSync(folder, { recursive: true, force: true })),
};

const LEGACY_KEY = LegacyKey.fromBytes(PUBLISHED);

export const legacyMessages: Target = {
  name: 'legacy messages',
  codes: ['ERR_LEGACY_MALFORMED'],
  make(random) {
    const message = encodeMessage(LEGACY_KEY, random.bytes(random.below(80)));
    return random.oneIn(3) ? mutate(message, random) : message;
  },
  run(input) {
    const gatherer = new CiphertextGatherer();
    for (const piece of pieces(input, 9, new Random(input.length))) gatherer.push(piece);
    const gathered = gatherer.take();
    hold(gathered.equals(input), 'another ciphertext than came');
    return outcomeOf(() => decodeMessage(LEGACY_KEY, gathered));
  },
};
