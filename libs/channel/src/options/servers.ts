// The servers of a client: one address, or several.
import { TransportError } from '../errors.js';
import { DEFAULT_PORT, PATH, resolveEndpoint } from './channel-options.js';
import type { ChannelClientOptions, ServerOption } from './channel-options.js';
import type { Endpoint } from './endpoint.js';
import { formatEndpoint } from './endpoint.js';
import { checkLimit } from './limit-check.js';
import { checkOption, checkPaths, NAME, OBJECT } from './option-check.js';

/** Where a client connects. */
export interface Servers {
  readonly endpoints: readonly Endpoint[];
  readonly connectionsPerServer: number;
}

/** The maximum number of addresses that one client connects to. */
export const MAX_SERVERS = 64;
const MAX_CONNECTIONS_PER_SERVER = 16;

/** @throws {TransportError} `ERR_BAD_OPTION` */
export function resolveServers(options: ChannelClientOptions): Servers {
  const { servers, connectionsPerServer = 1, host, port, path } = options;
  const count = checkLimit('connectionsPerServer', connectionsPerServer, 1, MAX_CONNECTIONS_PER_SERVER);
  if (servers === undefined) return { endpoints: [resolveEndpoint(options)], connectionsPerServer: count };
  if ((host ?? port ?? path) !== undefined) {
    const message = 'servers cannot be combined with host, port or path; give either servers, or one address';
    throw new TransportError('ERR_BAD_OPTION', message);
  }
  if (servers.length === 0 || servers.length > MAX_SERVERS) {
    const message = `servers has ${servers.length} servers; it must have 1 to ${MAX_SERVERS}`;
    throw new TransportError('ERR_BAD_OPTION', message);
  }
  const endpoints = new Map(Array.from(servers, resolveServer).map((endpoint) => [formatEndpoint(endpoint), endpoint]));
  return { endpoints: [...endpoints.values()], connectionsPerServer: count };
}

function resolveServer(server: ServerOption, index: number): Endpoint {
  const name = `servers[${index}]`;
  checkOption(name, server, OBJECT);
  checkPaths(
    server,
    ['host', 'port', 'path'].map((path) => `${name}.${path}`),
    `${name}.`,
  );
  const { host, port, path }: Partial<Record<'host' | 'path', string>> & { readonly port?: number } = server;
  if (host !== undefined) checkOption(`${name}.host`, host, NAME);
  if (path !== undefined) checkOption(`${name}.path`, path, PATH);
  if (host !== undefined && path === undefined)
    return { host, port: checkLimit(`${name}.port`, port ?? DEFAULT_PORT, 1, 65_535) };
  if (path !== undefined && host === undefined && port === undefined) return { path };
  throw new TransportError('ERR_BAD_OPTION', `${name} must have either host (and optionally port), or path`);
}
