import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Progress } from '#scripts/progress.mjs';
import { runBench } from './bench.js';
import { readOptions } from './options.js';
import { Pair } from './pair.js';
import { makeSecrets } from './secrets.js';

// A signal ends the run the ordinary way, so that nothing is left behind; it may come twice.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));
try {
  const options = readOptions(process.argv.slice(2));
  const folder = await mkdtemp(join(tmpdir(), 'sealwire-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true }));
  const isComplete = await runBench(options, {
    secrets: await makeSecrets(folder),
    startPair: (...pair) => Pair.start(...pair),
    progress: new Progress(process.stderr),
  });
  if (!isComplete) process.exitCode = 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
