import { revokeKey } from '@sealwire/crypto/internal';

import type { Input } from '../input.js';
import type { Terminal } from '../terminal.js';
import type { Result } from '../verb.js';
import { changeKey } from './change.js';

export function run(input: Input, terminal: Terminal): Promise<Result> {
  return changeKey(input, terminal, {
    apply: revokeKey,
    consequence: (name, { state }) =>
      `Key ${name} will be refused for ever, and its connections are destroyed.${
        state === 'primary'
          ? ' It is the primary key: no client can connect with this keyring until another key is made primary (keyring use).'
          : ''
      }`,
    done: (name) => `Revoked key ${name}. It stays in the file, so that servers refuse it.`,
  });
}
