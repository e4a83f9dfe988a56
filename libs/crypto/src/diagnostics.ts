// The channel of node:diagnostics_channel for key files (docs/operations.md). Without a subscriber it costs nothing.
// Messages contain no keys and no error texts.
import { channel } from 'node:diagnostics_channel';

import type { KeysStatus } from './keys/key-source.js';

/** The message published on `sealwire:keys:read`: a watched key file was read. */
export interface KeysMessage extends Pick<KeysStatus, 'ids' | 'primary' | 'loadedAt'> {
  /** The path of the file. */
  readonly file: string;
  /** `loaded`: the file had other keys, which are now in force. `failed`: the previous keys stay in force. */
  readonly outcome: 'loaded' | 'unchanged' | 'failed';
  /** The code of the failure, from a `CryptoError` or the system (such as `ENOENT`); undefined if there was none. */
  readonly code: string | undefined;
}

const KEYS_READ = channel('sealwire:keys:read');

export function publishKeysRead(
  file: string,
  outcome: KeysMessage['outcome'],
  source: { readonly status: KeysStatus },
): void {
  if (!KEYS_READ.hasSubscribers) return;
  const { ids, primary, loadedAt, error } = source.status;
  const message: KeysMessage = { file, outcome, ids, primary, loadedAt, code: error?.code };
  KEYS_READ.publish(message);
}
