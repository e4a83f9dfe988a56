import { defineConfig } from 'vitest/config';

export default defineConfig({
  // The libraries resolve to their TypeScript source through an exports condition: unit tests need no build.
  ssr: { resolve: { conditions: ['@sealwire/source', 'module', 'node', 'development|production'] } },
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  test: {
    // `nest g` writes specs that use globals.
    globals: true,
    include: ['{libs,apps}/*/src/**/*.spec.ts', 'test/**/*.spec.ts'],
    exclude: ['**/node_modules/**', 'test/jest/**'], // an application of its own, which Jest tests
    testTimeout: 60_000, // three times what any test takes on a machine that is busy
    hookTimeout: 60_000,
    // By default one of two cores is left alone; most of the time the tests wait for processes of their own.
    maxWorkers: 2,
    // What is polled for may be the doing of another process, on a machine that is busy.
    expect: { poll: { timeout: 10_000 } },
  },
});
