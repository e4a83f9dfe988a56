// `npm run test:processes` alone runs these: they start processes, which takes minutes.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  ssr: { resolve: { conditions: ['@sealwire/source', 'node', 'development|production'] } },
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  test: {
    include: ['test/processes/**/*.spec.ts'],
    testTimeout: 180_000, // as in the other tests
    hookTimeout: 180_000,
    maxWorkers: 3,
    expect: { poll: { timeout: 10_000 } },
  },
});
