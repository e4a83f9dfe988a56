import { UsageError } from '../failure.js';

/** The address of a server, as options of the channel. */
export type Target = { readonly host: string; readonly port: number } | { readonly path: string };

const UNIX = 'unix:';
const HOST_AND_PORT = /^(?:\[([\da-fA-F:.%\w]+)\]|([^\s:[\]/]+)):(\d{1,5})$/;

/**
 * Parses `host:port`, `[::1]:port` or `unix:/path`.
 *
 * @throws {UsageError}
 */
export function parseTarget(text: string): Target {
  if (text.startsWith(UNIX) && text.length > UNIX.length && !text.includes('\0'))
    return { path: text.slice(UNIX.length) };
  const [, bracketed, name, digits] = HOST_AND_PORT.exec(text) ?? [];
  const host = bracketed ?? name;
  const port = Number(digits);
  if (host !== undefined && port >= 1 && port <= 65_535) return { host, port };
  throw new UsageError('The address is not HOST:PORT, [IPV6]:PORT or unix:/path. See --help');
}
