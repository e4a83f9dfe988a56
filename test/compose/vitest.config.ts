// `npm run test:compose` alone runs these: they need a container engine.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { include: ['test/compose/*.spec.ts'], testTimeout: 180_000, hookTimeout: 420_000 },
});
