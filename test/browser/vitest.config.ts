// `npm run test:browser` alone runs these: they need a browser.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  ssr: { resolve: { conditions: ['@sealwire/source', 'module', 'node', 'development|production'] } },
  test: {
    include: ['test/browser/**/*.spec.ts'],
    testTimeout: 300_000, // ten times of what any test takes
    hookTimeout: 180_000,
    maxWorkers: 1, // a browser uses every core
    expect: { poll: { timeout: 60_000 } },
  },
});
