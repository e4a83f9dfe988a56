// The verbs that change one key of a keyring: they find it, ask, and change the file.
import { editKeyringFile, findEntry, readRing } from '@sealwire/crypto/internal';
import type { KeyringFileEntry } from '@sealwire/crypto/internal';

import { Failure } from '../failure.js';
import type { Input } from '../input.js';
import type { Terminal } from '../terminal.js';
import type { Result } from '../verb.js';
import { nameOf, viewOf, wipeAll } from './key-view.js';

type Entries = readonly KeyringFileEntry[];

export interface Change {
  /** Returns the new entries, or throws. */
  readonly apply: (entries: Entries, entry: KeyringFileEntry) => Entries;
  /** Returns what will happen, in whole sentences. */
  readonly consequence: (name: string, entry: KeyringFileEntry) => string;
  /** Returns what has happened to a keyring that had these entries before. */
  readonly done: (name: string, before: Entries, entry: KeyringFileEntry) => string;
}

export async function changeKey(input: Input, terminal: Terminal, change: Change): Promise<Result> {
  const [file, wanted] = [input.argument('FILE'), input.argument('KID')];
  const keys = readRing(file);
  wipeAll(keys);
  const { entries } = keys;
  const entry = findEntry(entries, wanted);
  const [kid, name] = [entry.key.id, nameOf(entry)];
  change.apply(entries, entry); // before the question: it may be refused
  const question = change.consequence(name, entry);
  const isAsked = !input.flag('yes');
  if (isAsked && !(await terminal.confirm(question)))
    throw new Failure('ERR_NOT_CONFIRMED', `Nothing was changed: key ${name} stays as it is`);
  let before = entries;
  let after: KeyringFileEntry | undefined;
  // Again, by its whole id: another command may have changed the file while this one was waiting for confirmation.
  await editKeyringFile(file, (current) => {
    const found = findEntry(current, kid);
    if (isAsked && change.consequence(nameOf(found), found) !== question)
      throw new Failure(
        'ERR_NOT_CONFIRMED',
        `This command changed nothing, because another command changed key ${name} while this one was waiting for confirmation: try again`,
      );
    before = current;
    const changed = change.apply(current, found);
    after = changed.find(({ key }) => key.id === kid);
    return changed;
  });
  const text = change.done(name, before, entry);
  return { json: { file, kid, key: after === undefined ? null : viewOf(after) }, text };
}
