import type { SealedNatsOptions } from '@sealwire/brokers';
import type { KeySource } from '@sealwire/crypto';
import type { SealwireClientOptions } from '@sealwire/transport';

import type { Settings } from '../config/settings.js';
import { MAX_MESSAGE_BYTES } from '../trigger/body.js';

export function directOptions(
  { server, service, connectTimeoutMs }: Settings,
  keyring: KeySource,
): SealwireClientOptions {
  const limits = { maxMessageBytes: MAX_MESSAGE_BYTES };
  return { ...server, keyring, service, timeouts: { connectMs: connectTimeoutMs }, limits };
}

export function brokerOptions(
  urls: readonly string[],
  { service, connectTimeoutMs }: Settings,
  keyring: KeySource,
): SealedNatsOptions {
  return { servers: [...urls], timeout: connectTimeoutMs, seal: { keyring, service } };
}
