import { prepare } from '../lib/prepare.mjs';
import { runVitest } from '../lib/vitest.mjs';

/**
 * `npm run test:browser`: runs the tests of test/browser, which open the console page of the client app in Chromium and
 * write the pictures in docs/images. The arguments are vitest's own.
 */
export async function command(stop) {
  await prepare(stop);
  return runVitest(['--config', 'test/browser/vitest.config.ts', '--reporter=verbose'], stop);
}
