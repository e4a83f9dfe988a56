// One connection for one command: opened, used and closed within its timeout.
import { Keyring, loadKeyring } from '@sealwire/crypto';
import type { SecretKey } from '@sealwire/crypto';
import { Dialer, formatEndpoint, resolveLimits, takeCodec, within } from '@sealwire/channel/internal';
import type { ClientLink } from '@sealwire/channel';
import { clock, findEntry, isUsable } from '@sealwire/crypto/internal';

import { Failure, Interrupted, UsageError } from '../failure.js';
import type { Input } from '../input.js';
import { readOptions } from '../keys/key-view.js';
import type { Terminal } from '../terminal.js';
import { explain } from './explain.js';
import { parseTarget } from './target.js';

const DEFAULT_TIMEOUT_MS = 10_000;
const MAX_TIMEOUT_MS = 86_400_000;
const CLOSE_MS = 1_000;

/** An open connection, and the words for it. */
export interface Connected {
  readonly link: ClientLink;
  readonly server: string;
  readonly keyId: string;
  readonly service: string;
  /** The time of the connect and the handshake. */
  readonly connectMs: number;
  /** The rest of the timeout, at least 1. */
  readonly leftMs: number;
  /** Aborts at SIGINT and SIGTERM. */
  readonly stop: AbortSignal;
}

/**
 * Opens a connection with the options of the command, and closes it after `use`.
 *
 * @throws {Interrupted}
 * @throws {Failure} The failure and what to do, in words for the operator; the code is that of the library.
 */
export async function withConnection<T>(
  input: Input,
  terminal: Terminal,
  use: (connected: Connected) => Promise<T>,
): Promise<T> {
  const target = parseTarget(input.argument('SERVER'));
  const timeoutMs = timeoutOf(input);
  const service = input.text('service') ?? 'default';
  const keyring = await loadKeys(input, terminal);
  const keyId = keyring.primary.id;
  const endpoint = target;
  const server = formatEndpoint(endpoint);
  const timeouts = { connectMs: timeoutMs };
  const options = { ...target, keyring, service, timeouts };
  const dialer = new Dialer(options, {
    limits: resolveLimits({ timeouts }),
    createCodec: takeCodec,
    warn: () => undefined,
  });
  const stop = stopSignal();
  const startMs = clock.nowMs();
  try {
    const link = await dialer.open({ endpoint, name: server }, stop, IGNORED, timeoutMs);
    const connectMs = clock.nowMs() - startMs;
    const leftMs = Math.max(1, Math.ceil(timeoutMs - connectMs));
    try {
      return await use({ link, server, keyId, service, connectMs, leftMs, stop });
    } finally {
      await within(CLOSE_MS, link.connection.close(0));
      link.connection.destroy(undefined); // the server may not have answered CLOSE
    }
  } catch (error) {
    if (stop.aborted) throw stop.reason;
    throw explain(error, { server, keyId, service, timeoutMs, pattern: input.argument('PATTERN') });
  }
}

const IGNORED = {
  onAged: () => undefined,
  onKept: () => undefined,
  onRetired: () => undefined,
  onClosed: () => undefined,
};

function timeoutOf(input: Input): number {
  const text = input.text('timeout');
  const timeoutMs = text === undefined ? DEFAULT_TIMEOUT_MS : Number(text);
  if (Number.isInteger(timeoutMs) && timeoutMs >= 1 && timeoutMs <= MAX_TIMEOUT_MS) return timeoutMs;
  throw input.usage(`--timeout is not a whole number of milliseconds from 1 to ${MAX_TIMEOUT_MS}`);
}

async function loadKeys(input: Input, terminal: Terminal): Promise<Keyring> {
  const file = input.text('key');
  if (file === undefined) throw new UsageError('There is no key: give --key FILE or set SEALWIRE_KEY_FILE');
  const keyring = await loadKeyring(file, readOptions(input, terminal));
  const kid = input.text('kid');
  return kid === undefined ? keyring : Keyring.of(chooseKey(keyring, kid));
}

/** @throws {Failure} The keyring has no such key, or it cannot be used now. */
function chooseKey({ keys }: Keyring, kid: string): SecretKey {
  const found = findEntry(keys, kid);
  if (isUsable(found, clock.unixMs())) return found.key;
  const reason =
    found.state === 'retired' || found.state === 'revoked' ? `it is ${found.state}` : 'it is outside its time window';
  throw new Failure('ERR_KEYRING_NO_KEY', `Key ${found.key.id} cannot be used now: ${reason}. Choose another key`);
}

function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => controller.abort(new Interrupted()));
  return controller.signal;
}
