import { clock, isUsable, useKey } from '@sealwire/crypto/internal';
import type { KeyringFileEntry } from '@sealwire/crypto/internal';

import type { Input } from '../input.js';
import type { Terminal } from '../terminal.js';
import type { Result } from '../verb.js';
import { changeKey } from './change.js';
import { nameOf } from './key-view.js';

export function run(input: Input, terminal: Terminal): Promise<Result> {
  return changeKey(input, terminal, {
    apply: (entries, entry) => useKey(entries, entry, clock.unixMs()),
    consequence: (name) =>
      `Clients with this keyring will connect with key ${name}; servers without that key refuse them.`,
    done: (name, before, { key }) => {
      const previous = before.find(({ state }) => state === 'primary');
      if (previous?.key.id === key.id) return `Key ${name} was already primary, and still is.`;
      return `Key ${name} is now primary. ${describePrevious(previous)}`;
    },
  });
}

function describePrevious(previous: KeyringFileEntry | undefined): string {
  if (previous === undefined) return 'There was no primary key before.';
  const name = nameOf(previous);
  return isUsable({ ...previous, state: 'accept' }, clock.unixMs())
    ? `The previous primary key ${name} now has the state accept, so it is still accepted.`
    : `The previous primary key ${name} now has the state accept, but is not accepted at this time: see its notBefore and notAfter.`;
}
