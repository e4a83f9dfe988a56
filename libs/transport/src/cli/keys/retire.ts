import { retireKey } from '@sealwire/crypto/internal';

import type { Input } from '../input.js';
import type { Terminal } from '../terminal.js';
import type { Result } from '../verb.js';
import { changeKey } from './change.js';

export function run(input: Input, terminal: Terminal): Promise<Result> {
  return changeKey(input, terminal, {
    apply: retireKey,
    consequence: (name) => `Key ${name} will no longer be used; clients that still dial with it are refused.`,
    done: (name) => `Retired key ${name}.`,
  });
}
