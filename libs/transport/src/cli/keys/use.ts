import { clock, useKey } from '@sealwire/crypto/internal';

import type { Input } from '../input.js';
import type { Terminal } from '../terminal.js';
import type { Result } from '../verb.js';
import { changeKey } from './change.js';

export function run(input: Input, terminal: Terminal): Promise<Result> {
  return changeKey(input, terminal, {
    apply: (entries, entry) => useKey(entries, entry, clock.unixMs()),
    consequence: (name) => `Clients with this keyring will dial with the key ${name}; servers without it refuse them.`,
    done: (name) => `The key ${name} is primary. The one before it is still accepted.`,
  });
}
