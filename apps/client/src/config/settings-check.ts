import { existsSync } from 'node:fs';

import { parseSettings } from './settings.js';
import { StartError } from './start-error.js';

const ENV_FILE = '.env';

/** @returns One line that says what is wrong with the settings, of which some may stand in `.env`; undefined if nothing is. */
export function complainOfSettings(): string | undefined {
  try {
    loadEnvFile();
    parseSettings(process.env);
    return undefined;
  } catch (error) {
    if (error instanceof StartError) return error.message;
    throw error;
  }
}

/** What is really set goes before what stands in the file. */
function loadEnvFile(): void {
  if (!existsSync(ENV_FILE)) return;
  try {
    process.loadEnvFile(ENV_FILE);
  } catch (cause) {
    throw new StartError(`${ENV_FILE} in the working directory cannot be read: ${String(cause)}`, { cause });
  }
}
