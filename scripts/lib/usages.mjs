// How the commands of package.json are called: the text of `--help`, and the options that are accepted.

const VITEST = 'The arguments are those of `vitest run`: a part of the path of a test, or -t NAME.';
const JSON_FILE = { value: 'FILE', summary: 'writes the results into a file' };
const ROUNDS = { value: 'N', summary: 'the rounds of each measurement' };
const RUN_MS = { value: 'MS', summary: 'the length of a round in milliseconds' };

/**
 * By the names that `node scripts/run.mjs NAME` gets. A command without `options` passes its arguments to a tool. One with
 * a `program` is compiled with the project in that folder; the file is below its `dist`, or else the first argument.
 */
export const USAGES = {
  start: {
    script: 'npm start',
    summary: 'Runs both apps, sends a message through them, and shows their output until Ctrl-C.',
    options: {
      broker: { value: 'nats', summary: 'sends the messages through a NATS server, which it starts, too' },
    },
    example: 'npm start -- --broker nats',
  },
  test: {
    script: 'npm test',
    summary: `Builds, and runs the tests of the libraries and apps, or the chosen ones. ${VITEST}`,
    example: 'npm test -- libs/crypto',
  },
  'test-processes': {
    script: 'npm run test:processes',
    summary: `Builds, and runs the tests that start the apps, the command line and scripts as processes. ${VITEST}`,
    example: 'npm run test:processes -- test/processes/cli',
  },
  'test-nest11': {
    script: 'npm run test:nest11',
    summary: `Runs the e2e tests with the packed libraries and Nest 11. ${VITEST}`,
    example: 'npm run test:nest11 -- test/e2e/streams.spec.ts',
  },
  'test-brokers': {
    script: 'npm run test:brokers',
    summary: `Runs the tests that start brokers, on Nest 12 and 11. ${VITEST}`,
    example: 'npm run test:brokers -- test/brokers/nats',
  },
  'test-compose': {
    script: 'npm run test:compose',
    summary: `Tests docker-compose.yml with a running Docker. The variable COMPOSE names another Compose command. ${VITEST}`,
    example: "COMPOSE='podman compose' npm run test:compose",
  },
  'test-browser': {
    script: 'npm run test:browser',
    summary: `Tests the console page in Chromium. ${VITEST}`,
    example: 'npm run test:browser',
  },
  'test-fresh-projects': {
    script: 'npm run test:fresh-projects',
    summary: 'Installs the packed libraries in fresh projects: Nest 12 and 11, npm and pnpm, plain Node.',
    options: {
      only: { value: 'PROJECT', summary: 'leaves out the other projects; test/fresh-projects has them' },
    },
    example: 'npm run test:fresh-projects -- --only nest11',
  },
  'test-readme': {
    script: 'npm run test:readme',
    arguments: '[DOCUMENT]…',
    summary: 'Runs the commands of the README and of pages of docs/ in a fresh clone.',
    options: {
      node: { value: 'MAJOR', summary: 'the version of Node; may be repeated', multiple: true, default: ['20', '24'] },
      'without-docker': { summary: 'leaves out the commands that need containers' },
    },
    example: 'npm run test:readme -- --node 20 README.md',
  },
  packages: {
    script: 'npm run packages',
    summary: 'Packs every library as npm would publish it, and checks the tarballs.',
    options: {},
    example: 'npm run packages',
  },
  keys: { script: 'npm run keys', help: 'own', example: 'npm run keys -- --help' },
  example: {
    script: 'npm run example',
    program: ['examples'],
    arguments: 'FILE',
    summary: 'Runs an example. examples/README.md lists them.',
    options: {},
    example: 'npm run example 01-swap-from-tcp.js',
  },
  'new-handler': {
    script: 'npm run new:handler',
    arguments: 'NAME',
    summary: 'Adds a handler with its test to the server. NAME is its pattern.',
    options: {},
    example: 'npm run new:handler order-total',
  },
  'legacy-send': {
    script: 'npm run legacy:send',
    arguments: 'HOST:PORT KEYFILE TEXT',
    summary:
      'Sends TEXT to a server of the original demo. HOST is a name or an address, IPv6 in brackets; KEYFILE has the 32 bytes of the original, key and IV. Write -- before a TEXT that begins with -.',
    options: {},
    example: "npm run legacy:send -- 127.0.0.1:8080 legacy_key.bin 'Hello Server!'",
  },
  model: {
    script: 'npm run model',
    summary: 'Checks the models of the protocol with Spin.',
    options: { only: { value: 'MODEL', summary: 'leaves out the other models' } },
    example: 'npm run model -- --only slots',
  },
  bench: {
    script: 'npm run bench',
    program: ['test/bench', 'main.js'],
    summary: "Compares Sealwire with Nest's TCP and TLS.",
    options: {
      quick: { summary: 'measures the main workloads only, in about a minute' },
      only: { value: 'GROUP', summary: 'measures one group; may be repeated', multiple: true },
      rounds: ROUNDS,
      'run-ms': RUN_MS,
      'warm-up-connections': { value: 'N', summary: 'the connections before the first measurement' },
      json: JSON_FILE,
      profile: { value: 'FOLDER', summary: 'writes CPU profiles for bench:profile' },
    },
    example: 'npm run bench -- --quick --json result.json',
  },
  'bench-micro': {
    script: 'npm run bench:micro',
    program: ['test/bench', 'micro/main.js'],
    summary: 'Measures seals, codecs and the handshake alone.',
    options: { rounds: ROUNDS, 'run-ms': RUN_MS, json: JSON_FILE },
    example: 'npm run bench:micro -- --rounds 3',
  },
  'bench-profile': {
    script: 'npm run bench:profile',
    program: ['test/bench', 'profile.js'],
    arguments: 'FOLDER',
    summary: 'Prints the functions that ran longest. FOLDER was written by `npm run bench -- --profile FOLDER`.',
    options: {},
    example: 'npm run bench:profile -- profiles',
  },
  'bench-plot': {
    script: 'npm run bench:plot',
    program: ['test/bench', 'plot/main.js'],
    arguments: '[FILE]',
    summary: 'Writes the tables and pictures of docs/. FILE was written by `npm run bench -- --json FILE`.',
    options: {
      micro: { value: 'FILE', summary: 'a file of bench:micro, for its table' },
      scale: { value: 'FILE', summary: 'a file with the group `scale`, for docs/scaling.md' },
    },
    example: 'npm run bench:plot -- result.json',
  },
  fuzz: {
    script: 'npm run fuzz',
    program: ['test/fuzz', 'test/fuzz/main.js'],
    summary: 'Gives random input to every decoder and state machine.',
    options: {
      minutes: { value: 'N', summary: 'the time for all targets together; 2 unless given' },
      inputs: { value: 'N', summary: 'the number of inputs of each target, instead of the time' },
      only: { value: 'TARGET', summary: 'leaves out the other targets' },
      seed: { value: 'N', summary: 'repeats the inputs of a run' },
      from: { value: 'N', summary: 'begins with this input of the seed' },
      input: { value: 'HEX', summary: 'gives only this input to the target of --only' },
    },
    example: 'npm run fuzz -- --minutes 10',
  },
  faults: {
    script: 'npm run faults',
    program: ['test/faults', 'test/faults/main.js'],
    summary: 'Runs clients and servers behind proxies that inject faults.',
    options: {
      seeds: { value: 'N', summary: 'the number of seeds; 50 unless given' },
      from: { value: 'N', summary: 'the first seed; 1 unless given' },
      jobs: { value: 'N', summary: 'the processes that run seeds; 3 unless given' },
      seed: { value: 'N', summary: 'runs only this seed, in one process' },
    },
    example: 'npm run faults -- --seeds 1000',
  },
  soak: {
    script: 'npm run soak',
    program: ['test/faults', 'test/faults/soak.js'],
    summary: 'Makes calls over lost connections and rolling restarts.',
    options: {
      calls: { value: 'N', summary: 'the number of calls; 1,000,000 unless given' },
      seed: { value: 'N', summary: 'the seed of the losses; 1 unless given' },
    },
    example: 'npm run soak -- --calls 10000',
  },
  attacks: {
    script: 'npm run attacks',
    program: ['test/attacks', 'test/attacks/main.js'],
    summary: 'Attacks the secure channel and the weak targets, and prints which attacks succeeded.',
    options: {
      only: { value: 'ROWS', summary: 'runs only these rows, such as 2,6' },
      json: JSON_FILE,
    },
    example: 'npm run attacks -- --only 2,6',
  },
};
