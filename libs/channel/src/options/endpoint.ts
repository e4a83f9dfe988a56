import type { Socket } from 'node:net';

/** Where a server listens and a client connects. */
export type Endpoint =
  | { readonly host: string; readonly port: number }
  /** A Unix domain socket. */
  | { readonly path: string };

/** Both ends go on sending after the peer's FIN, answer small records at once, and notice a peer that is gone. */
export const SOCKET_OPTIONS = { allowHalfOpen: true, noDelay: true, keepAlive: true } as const;

export function formatEndpoint(endpoint: Endpoint): string {
  if ('path' in endpoint) return endpoint.path;
  const { host, port } = endpoint;
  // Not one template: V8 would keep the parts, and a server keeps the address of every connection.
  return [host.includes(':') ? `[${host}]` : host, port].join(':');
}

/** `address:port` of the other end; undefined on a Unix domain socket. */
export function remoteAddress({ remoteAddress: host, remotePort: port }: Socket): string | undefined {
  return host === undefined || port === undefined ? undefined : formatEndpoint({ host, port });
}
