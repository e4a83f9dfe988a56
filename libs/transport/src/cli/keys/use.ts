import { clock, useKey } from '@sealwire/crypto/internal';

import type { Input } from '../input.js';
import type { Terminal } from '../terminal.js';
import type { Result } from '../verb.js';
import { changeKey } from './change.js';

export function run(input: Input, terminal: Terminal): Promise<Result> {
  return changeKey(input, terminal, {
    apply: (entries, entry) => useKey(entries, entry, clock.unixMs()),
    consequence: (name) =>
      `Clients with this keyring will connect with key ${name}; servers without that key refuse them.`,
    done: (name) => `Key ${name} is now primary. The previous primary key is still accepted.`,
  });
}
