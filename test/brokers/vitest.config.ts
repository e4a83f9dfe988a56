// `npm run test:brokers` alone runs these: they start brokers, of which a machine may have none.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  ssr: { resolve: { conditions: ['@sealwire/source', 'node', 'development|production'] } },
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  test: {
    include: ['test/brokers/**/*.spec.ts'],
    testTimeout: 180_000, // as in the other tests
    hookTimeout: 180_000,
    maxWorkers: 2,
    expect: { poll: { timeout: 10_000 } },
  },
});
