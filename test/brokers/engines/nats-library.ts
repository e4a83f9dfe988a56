import { createRequire } from 'node:module';

/** The client library that the installed Nest uses: Nest 12 has another one than Nest 11. Both have these functions. */
export const NATS_LIBRARY: Pick<typeof import('@nats-io/transport-node'), 'connect' | 'headers'> = load(
  createRequire(import.meta.url),
);

function load(require: NodeJS.Require): typeof NATS_LIBRARY {
  try {
    return require('@nats-io/transport-node');
  } catch {
    return require('nats');
  }
}
