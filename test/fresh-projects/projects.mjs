import { configureJest } from './jest-configuration.mjs';

/** Tools that are not installed in a project; `npm exec` gets them. */
const PNPM = { package: 'pnpm@10.34.8', name: 'pnpm' };
const NEST_CLI_11 = { package: '@nestjs/cli@11.0.13', name: 'nest' };

/**
 * What `npm run test:fresh-projects` makes. The files of a project are in the folder of its name, or in `files`; `scripts` are
 * those of its package.json, in the order in which they are run. With a `generator` the project is first made by that tool,
 * and its ranges decide which versions are installed.
 */
export const PROJECTS = [
  { name: 'plain', about: 'Node without Nest', scripts: ['test'] },
  { name: 'cli', about: 'the command sealwire, without Nest', scripts: ['test'] },
  { name: 'peers', about: 'without optional peers', scripts: ['test'] },
  {
    name: 'nest12',
    about: 'Nest 12, ES modules, TypeScript 5, 6 and 7',
    scripts: ['keygen', 'types:5', 'types:7', 'build', 'start', 'nats'],
  },
  {
    name: 'nest12-pnpm',
    about: 'the same, installed by pnpm',
    files: 'nest12',
    packageManager: PNPM,
    scripts: ['keygen', 'build', 'start', 'nats'],
  },
  {
    name: 'nest11',
    about: 'Nest 11 as `nest new` makes it: CommonJS, Jest, TypeScript 5, and then 6 and 7',
    generator: {
      ...NEST_CLI_11,
      args: ['new', 'nest11', '--package-manager', 'npm', '--skip-install', '--skip-git', '--strict'],
    },
    configure: configureJest,
    scripts: [
      'keygen',
      'build',
      'start:prod',
      'test',
      'test:e2e',
      'lint',
      'types:6',
      'types:7',
      'commonjs',
      'build',
      'start:prod',
      'test',
    ],
  },
];
