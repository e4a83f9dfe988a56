import type { KeysMessage } from '@sealwire/crypto';

import type { MetricSet } from './metric-set.js';

/** Keeps the metrics of key files that are watched. */
export function collectKeyFiles(metrics: MetricSet): void {
  const labelNames = ['file'] as const;
  const reads = metrics.counter({
    name: 'sealwire_key_file_reads_total',
    help: 'Reads of key files. outcome: loaded, unchanged, or the code of the failure.',
    labelNames: ['file', 'outcome'],
  });
  const successful = metrics.gauge({
    name: 'sealwire_key_file_last_read_successful',
    help: '1 if the keys of the file are in force, 0 if the file could not be read or is wrong: earlier keys stay in force.',
    labelNames,
  });
  const loaded = metrics.gauge({
    name: 'sealwire_key_file_loaded_timestamp_seconds',
    help: 'The time at which the keys in force were loaded, in seconds since 1970.',
    labelNames,
  });
  const usable = metrics.gauge({
    name: 'sealwire_key_file_usable_keys',
    help: 'Keys of the file that may be used now.',
    labelNames,
  });
  metrics.on<KeysMessage>('sealwire:keys:read', ({ file, outcome, ids, loadedAt, code }) => {
    reads.inc({ file, outcome: code ?? outcome });
    successful.set({ file }, code === undefined ? 1 : 0);
    loaded.set({ file }, loadedAt / 1_000);
    usable.set({ file }, ids.length);
  });
}
