#!/usr/bin/env node
import { env, stderr, stdin, stdout } from 'node:process';

import { FAILED } from './failure.js';
import { run } from './run.js';
import { Terminal } from './terminal.js';

// The reader of the output may have enough, as `head` does. The command has done its work by then, or ends with it.
for (const stream of [stdout, stderr])
  stream.on('error', ({ code }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE') process.exit();
    if (stream === stdout) stderr.write(`sealwire: The output could not be written (${code})\n`);
    process.exit(FAILED);
  });

const terminal = new Terminal({ stdin, stdout, stderr }, env);
process.exitCode = await run({ args: process.argv.slice(2), environment: env, terminal, program: 'sealwire' });
