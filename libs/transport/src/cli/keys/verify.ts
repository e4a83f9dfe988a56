import { clock, formatTimestamp, isUsable } from '@sealwire/crypto/internal';
import type { KeyFileEntries, KeyringFileEntry } from '@sealwire/crypto/internal';

import { describe, FAILED, UsageError } from '../failure.js';
import type { Input } from '../input.js';
import { printable } from '../terminal.js';
import type { Terminal } from '../terminal.js';
import type { Result } from '../verb.js';
import { nameOf, withKeys } from './key-view.js';

const DAY_MS = 86_400_000;
const SOON_DAYS = 14;

/** Reports problems and hints. A problem is a reason to refuse the file; a hint is not. */
export async function run(input: Input, terminal: Terminal): Promise<Result> {
  const file = input.argument('FILE');
  try {
    return withKeys(input, terminal, (keys) => accepted(file, keys));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const { code, message } = describe(error);
    return {
      json: { file, valid: false, problems: [{ code, message }], hints: [] },
      text: printable(`${message} (${code})`),
      exitCode: FAILED,
    };
  }
}

function accepted(file: string, { form, entries }: KeyFileEntries): Result {
  const hints = form === 'raw' ? [] : hintsOf(entries, clock.unixMs());
  const count = entries.length === 1 ? '1 key' : `${entries.length} keys`;
  const text = [`${file} is valid: ${form === 'raw' ? 'one raw key' : `a keyring of ${count}`}`, ...hints];
  return { json: { file, valid: true, form, problems: [], hints }, text: text.join('\n') };
}

function hintsOf(entries: readonly KeyringFileEntry[], nowMs: number): readonly string[] {
  const primary = entries.find(({ state }) => state === 'primary');
  const hints = primary === undefined ? ['No key is primary: a server can use this keyring, but a client cannot'] : [];
  if (!entries.some((entry) => isUsable(entry, nowMs)))
    return ['No key may be used now: neither a server nor a client can use this keyring'];
  for (const entry of entries) {
    const { state, notBefore = -Infinity, notAfter = Infinity } = entry;
    if (state === 'retired' || state === 'revoked') continue;
    const name = `Key ${nameOf(entry)}`;
    const ofPrimary = state === 'primary' ? ' It is the primary key, so no client can connect with this keyring.' : '';
    if (nowMs < notBefore)
      hints.push(`${name} is not valid yet: its notBefore is ${formatTimestamp(notBefore)}.${ofPrimary}`);
    else if (nowMs >= notAfter) hints.push(`${name} has expired.${ofPrimary}`);
    else if (notAfter - nowMs < SOON_DAYS * DAY_MS) hints.push(`${name} expires in less than ${SOON_DAYS} days.`);
  }
  return hints;
}
