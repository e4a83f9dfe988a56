import type { Links } from '@sealwire/channel/internal';

/**
 * Pings every connected server, and connects first if there is no connection.
 *
 * @returns The round trip in milliseconds of the first answer. Rejects if there is none, with the first error.
 */
export async function pingServers(links: Links): Promise<number> {
  const all = new Set([await links.connect('REQUEST'), ...links.all]);
  return Promise.any(Array.from(all, ({ connection }) => connection.ping())).catch((error: unknown) => {
    throw error instanceof AggregateError ? error.errors[0] : error;
  });
}
