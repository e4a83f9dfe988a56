import { prepare } from '../lib/prepare.mjs';
import { progressReporters, runVitest } from '../lib/vitest.mjs';

/**
 * `npm run test:processes`: runs the tests of test/processes, which start the apps, the command line, scripts and other
 * programs as processes. The arguments are vitest's own.
 */
export async function command(stop) {
  await prepare(stop);
  return runVitest(['--config', 'test/processes/vitest.config.ts', ...progressReporters()], stop);
}
