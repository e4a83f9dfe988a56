import { existsSync } from 'node:fs';

import { StartError } from './start-error.js';

const ENV_FILE = '.env';

/** Ends the process with one line on standard error if a setting is wrong. Settings may also be in `.env`. */
export function checkSettings(parseSettings: (env: NodeJS.ProcessEnv) => unknown): void {
  try {
    loadEnvFile();
    parseSettings(process.env);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

/** Loads the file, over which the environment takes precedence. */
function loadEnvFile(): void {
  if (!existsSync(ENV_FILE)) return;
  try {
    process.loadEnvFile(ENV_FILE);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StartError(`${ENV_FILE} in the working directory cannot be read (${reason}): correct or remove it`, {
      cause,
    });
  }
}
