import type { Settings } from './settings.js';

interface Address {
  readonly host: string;
  readonly port: number;
}

/** Returns the addresses that the client connects to, as its log line shows them. */
export function serverNames({ broker, server }: Pick<Settings, 'broker' | 'server'>): string {
  if (broker !== undefined) return broker.join(',');
  if ('path' in server) return server.path;
  const addresses: readonly Address[] = server.servers ?? [server];
  return addresses.map(nameOf).join(',');
}

function nameOf({ host, port }: Address): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
