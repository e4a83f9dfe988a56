import type { Socket } from 'node:net';

/** The address on which a server listens or to which a client connects. */
export type Endpoint =
  | { readonly host: string; readonly port: number }
  /** A Unix domain socket. */
  | { readonly path: string };

/** Both ends continue to send after the peer's FIN, send small records immediately, and detect a dead peer. */
export const SOCKET_OPTIONS = { allowHalfOpen: true, noDelay: true, keepAlive: true } as const;

export function formatEndpoint(endpoint: Endpoint): string {
  if ('path' in endpoint) return endpoint.path;
  const { host, port } = endpoint;
  // Not one template: V8 would keep the parts, and a server keeps the address of every connection.
  return [host.includes(':') ? `[${host}]` : host, port].join(':');
}

/** Returns `address:port` of the other end; undefined on a Unix domain socket. */
export function remoteAddress({ remoteAddress: host, remotePort: port }: Socket): string | undefined {
  return host === undefined || port === undefined ? undefined : formatEndpoint({ host, port });
}
