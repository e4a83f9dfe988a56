// For the folders that scripts/lib/nest11.mjs makes: there the libraries are what npm has installed.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  ssr: { resolve: { conditions: ['node', 'development|production'] } }, // as in the repository itself
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  test: {
    globals: true,
    include: ['test/{e2e,processes,brokers}/**/*.spec.ts'],
    testTimeout: 180_000, // as in the repository itself
    hookTimeout: 180_000,
    maxWorkers: 2,
    expect: { poll: { timeout: 10_000 } },
  },
});
