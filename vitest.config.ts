import { configDefaults, defineConfig } from 'vitest/config';

/** They replace modules or globals, or look at what the whole process holds: each needs modules of its own. */
const ALONE = [
  'libs/crypto/src/{cipher/{a128cbc-hs256-order,secret-bytes},key-file/system-calls,key-watch/watched-key-file,keys/generate}.spec.ts',
  'libs/transport/src/two-copies.spec.ts',
  'libs/channel/src/{client/dial,connection/record-writer,socket/socket-reader}.spec.ts',
  'libs/channel/src/handshake/responder-cost.spec.ts',
  'libs/channel/src/record/slab.spec.ts',
  'test/adversarial/{rogue-peer,secret-memory}.spec.ts',
  'test/e2e/{async-context,fake-timers,hibernation,key-source,listen-close,running-bytes}.spec.ts',
  'test/faults/faults.spec.ts',
  'test/fuzz/fuzz.spec.ts',
];
/** Projects that have tests of their own, and tests that need processes, a container engine, brokers or a browser. */
const APART = 'test/{fresh-projects,processes,compose,brokers,browser}/**';

export default defineConfig({
  // The libraries resolve to their TypeScript source through an exports condition: unit tests need no build.
  // Without `module`, which Node does not have: packages resolve to the build that Node loads.
  ssr: { resolve: { conditions: ['@sealwire/source', 'node', 'development|production'] } },
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  test: {
    // `nest g` writes specs that use globals.
    globals: true,
    testTimeout: 180_000, // three times what any test takes on a machine that is busy
    hookTimeout: 180_000,
    // One more than two cores, as the tests also wait: for processes of their own, and for deadlines.
    maxWorkers: 3,
    // What is polled for may be the doing of another process, on a machine that is busy.
    expect: { poll: { timeout: 10_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'together', // the files of a worker share their modules: half of the time is spent on loading them
          include: ['{libs,apps}/*/src/**/*.spec.ts', 'test/**/*.spec.ts'],
          exclude: [...configDefaults.exclude, APART, ...ALONE],
          isolate: false,
        },
      },
      { extends: true, test: { name: 'alone', include: ALONE } },
    ],
  },
});
