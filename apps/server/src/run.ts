import 'reflect-metadata';

import { Logger } from '@nestjs/common';

import { explainStartFailure } from './start-failure.js';
import { startServer } from './start.js';

try {
  await startServer();
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
