import { forgetKey, removeKey } from '@sealwire/crypto/internal';

import type { Input } from '../input.js';
import type { Terminal } from '../terminal.js';
import type { Result } from '../verb.js';
import { changeKey } from './change.js';

export function run(input: Input, terminal: Terminal): Promise<Result> {
  return changeKey(input, terminal, {
    apply: input.flag('forget-revoked') ? forgetKey : removeKey,
    consequence: (name, { state }) =>
      state === 'revoked'
        ? `The revocation of key ${name} will be deleted. A server that has not loaded the revocation will only drain the connections of the key, and the key can be installed again.`
        : `Key ${name} will be deleted; clients that still dial with it are refused.`,
    done: (name) => `Removed key ${name}.`,
  });
}
