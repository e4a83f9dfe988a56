import 'reflect-metadata';

import { Logger } from '@nestjs/common';

import { explainStartFailure } from './start-failure.js';

/** Starts an app. If that fails, writes one line to standard error, or a stack if unexpected, and ends the process. */
export async function run(start: () => Promise<void>): Promise<void> {
  try {
    await start();
  } catch (error) {
    const line = explainStartFailure(error);
    if (line === undefined) {
      Logger.detachBuffer();
      Logger.error(error);
    } else {
      process.stderr.write(`${line}\n`);
    }
    process.exit(1);
  }
}
