// The fields of the environment variables that only the client app has. The message of a field says what is accepted.
import { remotePort, withoutBrackets } from '@sealwire/app/settings';
import { z } from 'zod';

import { parseAllowedHost } from '../http/allowed-hosts.js';

const SERVER = /^(\[[0-9A-Fa-f.:%]+\]|[A-Za-z0-9._-]+):(\d{1,5})$/;
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/; // what RFC 6750 lets a bearer token hold

/** `host:port,[::1]:port,…` */
export const servers = z
  .string()
  .transform((text) => text.split(',').map((entry) => SERVER.exec(entry.trim())))
  .refine(
    (found) => found.every((server) => server !== null && remotePort.safeParse(server[2]).success),
    'a comma-separated list of at most 64 host:port entries',
  )
  .transform((found) =>
    found.map((server) => ({ host: withoutBrackets(server?.[1] ?? ''), port: Number(server?.[2]) })),
  )
  .refine((list) => list.length <= 64, 'a comma-separated list of at most 64 host:port entries');

export const token = z.string().regex(TOKEN, 'a token of letters, digits and -._~+/');

export const allowedHosts = z
  .string()
  .transform((text) => text.split(',').map((entry) => parseAllowedHost(entry.trim())))
  .refine(
    (list) => list.every((entry) => entry !== undefined),
    'a comma-separated list of host names, host:port entries or origins (no *)',
  )
  .transform((list) => list.filter((entry) => entry !== undefined));

/** An address, a network, or one of Express' names for networks. */
const proxy = z.union([z.enum(['loopback', 'linklocal', 'uniquelocal']), z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]);

export const trustedProxies = z
  .string()
  .transform((text) => text.split(',').map((entry) => entry.trim()))
  .refine(
    (list) => list.every((entry) => proxy.safeParse(entry).success),
    'a comma-separated list of IP addresses, networks, or the names loopback, linklocal and uniquelocal',
  );
