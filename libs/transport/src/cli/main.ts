#!/usr/bin/env node
import { env, stderr, stdin, stdout } from 'node:process';

import { run } from './run.js';
import { Terminal } from './terminal.js';

// The reader of the output may have enough, as `head` does. The command has done its work by then, or ends with it.
for (const stream of [stdout, stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });

const terminal = new Terminal({ stdin, stdout, stderr }, env);
process.exitCode = await run({ args: process.argv.slice(2), environment: env, terminal, program: 'sealwire' });
