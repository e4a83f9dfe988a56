import { createRequire } from 'node:module';

interface Headers {
  set(name: string, value: string): void;
}

/** Headers of the client library that the installed Nest uses: Nest 12 has another one than Nest 11. */
export function natsHeaders(values: Readonly<Record<string, string>>): Headers {
  const headers = libraryOf(createRequire(import.meta.url)).headers();
  for (const [name, value] of Object.entries(values)) headers.set(name, value);
  return headers;
}

function libraryOf(require: NodeJS.Require): { headers(): Headers } {
  try {
    return require('@nats-io/transport-node');
  } catch {
    return require('nats');
  }
}
