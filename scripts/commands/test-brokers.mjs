import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installOn11, runOn11 } from '../lib/nest11.mjs';
import { prepare } from '../lib/prepare.mjs';
import { ROOT } from '../lib/tool.mjs';
import { runVitest } from '../lib/vitest.mjs';

/** They need no Nest, or programs of this repository, which have Nest 12. */
const NOT_ON_11 = new Set(
  ['apps', 'engines/engines.spec.ts', 'jetstream', 'nats/queue-group.spec.ts', 'nats/replay-stores.spec.ts'].map(
    (path) => join(ROOT, 'test', 'brokers', path),
  ),
);

/**
 * `npm run test:brokers`: runs the tests of test/brokers, each of which starts its own broker, on the Nest of this
 * repository and then on Nest 11. A broker that is not installed is named, and its tests are skipped. The arguments are
 * vitest's own.
 */
export async function command(stop) {
  await prepare(stop);
  const code = await runOn12(stop);
  if (code !== 0) return code;
  const folder = await mkdtemp(join(tmpdir(), 'sealwire-brokers-'));
  try {
    await installOn11(folder, stop);
    const filter = (path) => !NOT_ON_11.has(path);
    return await runOn11(folder, { tests: ['brokers', 'support'], filter }, stop);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function runOn12(stop) {
  return runVitest(['--config', 'test/brokers/vitest.config.ts', '--reporter=verbose'], stop);
}
