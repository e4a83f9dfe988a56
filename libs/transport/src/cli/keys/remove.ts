import { removeKey } from '@sealwire/crypto/internal';

import type { Input } from '../input.js';
import type { Terminal } from '../terminal.js';
import type { Result } from '../verb.js';
import { changeKey } from './change.js';

export function run(input: Input, terminal: Terminal): Promise<Result> {
  return changeKey(input, terminal, {
    apply: removeKey,
    consequence: (name) => `The key ${name} will be deleted; clients that still dial with it are refused.`,
    done: (name) => `Removed the key ${name}.`,
  });
}
