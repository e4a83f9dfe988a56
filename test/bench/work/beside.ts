import type { ConnectedClient } from '../peer.js';
import type { Workload } from '../workload.js';
import { echoOf } from './echo.js';
import { keepInFlight } from './in-flight.js';
import type { Outcome } from './outcome.js';
import { streamed } from './stream.js';

const SMALL = { as: 'json', payloadBytes: 256 } as const;
const VALUE_BYTES = 65_536;

type Beside = Workload & { readonly kind: 'beside' };

/** Small requests alone for `durationMs`, then again for as long as a transfer takes on the same connection. */
export async function runBeside(client: ConnectedClient, workload: Beside, durationMs: number): Promise<Outcome> {
  const small = echoOf(client, SMALL);
  const idle = await keepInFlight(small, 1, (elapsedMs) => elapsedMs < durationMs);
  let isTransferring = true;
  const startedAt = performance.now();
  const transfer = transferOnce(client, workload)
    .then(() => performance.now() - startedAt)
    .finally(() => (isTransferring = false)); // also one that fails, or the small requests would never end
  const [transferMs, busy] = await Promise.all([transfer, keepInFlight(small, 1, () => isTransferring)]);
  return { ...busy, beside: { idleLatenciesMs: idle.latenciesMs, transferMs } };
}

async function transferOnce(client: ConnectedClient, { transfer, transferBytes }: Beside): Promise<void> {
  if (transfer === 'stream') return streamBytes(client, transferBytes);
  return new Promise((resolve, reject) => {
    const large = echoOf(client, { as: 'bytes', payloadBytes: transferBytes });
    large((error) => (error === undefined ? resolve() : reject(error)));
  });
}

async function streamBytes(client: ConnectedClient, transferBytes: number): Promise<void> {
  let received = 0;
  await streamed(client, { values: transferBytes / VALUE_BYTES, valueBytes: VALUE_BYTES }, (value) => {
    received += byteLengthOf(value);
  });
  if (received !== transferBytes) throw new Error(`A stream of ${received} bytes in place of ${transferBytes}`);
}

function byteLengthOf(value: unknown): number {
  if (value instanceof Uint8Array) return value.byteLength;
  return typeof value === 'object' && value !== null && 'data' in value && Array.isArray(value.data)
    ? value.data.length
    : 0;
}
