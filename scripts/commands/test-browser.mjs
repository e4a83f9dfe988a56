import { join } from 'node:path';
import { prepare } from '../lib/prepare.mjs';
import { ROOT, runInForeground } from '../lib/tool.mjs';

/**
 * `npm run test:browser`: the tests of test/browser, which open the console page of the client app in Chromium and write
 * the pictures in docs/images. The arguments are vitest's own.
 */
export async function command(stop) {
  await prepare(stop);
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const args = ['run', '--config', 'test/browser/vitest.config.ts', '--reporter=verbose', ...process.argv.slice(2)];
  return runInForeground([vitest, ...args], stop);
}
