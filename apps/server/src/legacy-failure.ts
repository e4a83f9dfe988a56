import { listenFailed } from '@sealwire/app';
import type { ListenerVariables } from '@sealwire/app';
import { StartError } from '@sealwire/app/settings';
import { CryptoError } from '@sealwire/crypto';
import { TransportError } from '@sealwire/transport';

/** Returns an error that names the setting because of which the legacy wire cannot start: its key, or its address. */
export function legacyFailed(cause: unknown, where: string, variables: ListenerVariables): unknown {
  const isOfKey =
    cause instanceof CryptoError || (cause instanceof TransportError && cause.code === 'ERR_LEGACY_KEY_SHARED');
  if (isOfKey) return new StartError(`LEGACY_KEY_FILE: ${cause.message}`, { cause });
  return listenFailed(cause, where, variables);
}
