import { explainStartFailure } from '@sealwire/app';

import { startClient } from '../../../apps/client/src/start.js';
import { startServer } from '../../../apps/server/src/start.js';
import type { Env } from '../../support/app-process.js';

const STARTS = { server: startServer, client: startClient };

/**
 * What an app in this process says of why it cannot start: one after the other, as each has the environment and the
 * directory for itself. What it has begun to listen on goes with this process.
 */
export async function startFailure(app: 'server' | 'client', directory: string, env: Env): Promise<string | undefined> {
  const [environment, cwd] = [process.env, process.cwd()];
  process.env = { SEALWIRE_PORT: app === 'server' ? '0' : '1', HEALTH_PORT: '0', HTTP_PORT: '0', ...env };
  process.chdir(directory);
  try {
    await STARTS[app]();
  } catch (error) {
    return explainStartFailure(error) ?? String(error);
  } finally {
    process.chdir(cwd);
    process.env = environment;
  }
  return undefined;
}
