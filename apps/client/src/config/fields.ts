// What the environment variables of this app may hold. The message of a field says what is accepted.
import { z } from 'zod';

import { parseAllowedHost } from '../http/allowed-hosts.js';

const HOST = /^[A-Za-z0-9._:%-]+$/; // a name, IPv4 or IPv6: never a URL
const SERVER = /^(\[[0-9A-Fa-f.:%]+\]|[A-Za-z0-9._-]+):(\d{1,5})$/;
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/; // what RFC 6750 lets a bearer token hold
const MAX_PORT = 65_535;
const MAX_TIMEOUT_MS = 86_400_000;
const MAX_UNIX_PATH_BYTES = 107; // sun_path of Linux, less its terminator
const MAX_SERVICE_BYTES = 0xffff; // it travels behind a length of two bytes (docs/protocol.md §4)

/** A port; 0 takes a free one. */
export const port = z
  .string()
  .refine((text) => /^\d{1,5}$/.test(text) && Number(text) <= MAX_PORT, 'a whole number from 0 to 65535')
  .transform(Number);

/** A port that something listens on. */
export const remotePort = z.string().refine(isRemotePort, 'a whole number from 1 to 65535').transform(Number);

/** A host name or address; IPv6 with or without its brackets. */
export const host = z
  .string()
  .transform(withoutBrackets)
  .refine((text) => HOST.test(text), 'a host name or an IP address, without a port');

/** `host:port,[::1]:port,…` */
export const servers = z
  .string()
  .transform((text) => text.split(',').map((entry) => SERVER.exec(entry.trim())))
  .refine((found) => found.every((server) => server !== null && isRemotePort(server[2] ?? '')), 'a list of host:port')
  .transform((found) =>
    found.map((server) => ({ host: withoutBrackets(server?.[1] ?? ''), port: Number(server?.[2]) })),
  )
  .refine((list) => list.length === 1, 'one host:port, as this version connects to one server');

export const unixPath = z
  .string()
  .refine((text) => Buffer.byteLength(text) <= MAX_UNIX_PATH_BYTES, 'the path of a socket, at most 107 bytes long');

export const serviceName = z
  .string()
  .refine((text) => Buffer.byteLength(text) <= MAX_SERVICE_BYTES, 'a name of at most 65535 bytes');

export const token = z.string().regex(TOKEN, 'a token of letters, digits and -._~+/');

export const allowedHosts = z
  .string()
  .transform((text) => text.split(',').map((entry) => parseAllowedHost(entry.trim())))
  .refine((list) => list.every((entry) => entry !== undefined), 'a list of host names, host:port or origins (no *)')
  .transform((list) => list.filter((entry) => entry !== undefined));

/** Express' own words for addresses, and addresses as they are. */
const proxy = z.union([z.enum(['loopback', 'linklocal', 'uniquelocal']), z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]);

export const trustedProxies = z
  .string()
  .transform((text) => text.split(',').map((entry) => entry.trim()))
  .refine(
    (list) => list.every((entry) => proxy.safeParse(entry).success),
    'a list of addresses, networks, or loopback',
  );

/** A deadline, at most a day. */
export const timeoutMs = z
  .string()
  .refine((text) => /^[1-9]\d{0,7}$/.test(text) && Number(text) <= MAX_TIMEOUT_MS, 'milliseconds, from 1 to 86400000')
  .transform(Number);

export const requestsAMinute = z
  .string()
  .refine((text) => /^[1-9]\d{0,8}$/.test(text), 'a whole number from 1 to 999999999')
  .transform(Number);

export const flag = z.enum(['true', 'false'], { error: 'true or false' }).transform((text) => text === 'true');

export const keyPolicy = z.enum(['strict', 'mounted-secret'], { error: 'strict or mounted-secret' });

export const logFormat = z.enum(['pretty', 'json'], { error: 'pretty or json' });

function isRemotePort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) > 0 && Number(text) <= MAX_PORT;
}

function withoutBrackets(text: string): string {
  return text.replace(/^\[(.*)\]$/, '$1');
}
