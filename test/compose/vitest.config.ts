// `npm run test:compose` alone runs these: they need a container engine.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // One file at a time, because all of them use the same project.
  test: {
    include: ['test/compose/*.spec.ts'],
    fileParallelism: false,
    testTimeout: 600_000,
    hookTimeout: 900_000,
  },
});
