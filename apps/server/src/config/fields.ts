// What the environment variables of this app may hold. The message of a field says what is accepted.
import { z } from 'zod';

const HOST = /^[A-Za-z0-9._:%-]+$/; // a name, IPv4 or IPv6: never a URL
const MAX_PORT = 65_535;
const MAX_UNIX_PATH_BYTES = 107; // sun_path of Linux, less its terminator
const MAX_SERVICE_BYTES = 0xffff; // it travels behind a length of two bytes (docs/protocol.md §4)

/** A port; 0 takes a free one. */
export const port = z
  .string()
  .refine((text) => /^\d{1,5}$/.test(text) && Number(text) <= MAX_PORT, 'a whole number from 0 to 65535')
  .transform(Number);

/** A limit of the transport. */
export const count = z
  .string()
  .refine((text) => /^[1-9]\d{0,5}$/.test(text), 'a whole number from 1 to 999999')
  .transform(Number);

/** A host name or address; IPv6 with or without its brackets. */
export const host = z
  .string()
  .transform((text) => text.replace(/^\[(.*)\]$/, '$1'))
  .refine((text) => HOST.test(text), 'a host name or an IP address, without a port');

export const unixPath = z
  .string()
  .refine((text) => Buffer.byteLength(text) <= MAX_UNIX_PATH_BYTES, 'the path of a socket, at most 107 bytes long');

export const serviceName = z
  .string()
  .refine((text) => Buffer.byteLength(text) <= MAX_SERVICE_BYTES, 'a name of at most 65535 bytes');

export const flag = z.enum(['true', 'false'], { error: 'true or false' }).transform((text) => text === 'true');

export const keyPolicy = z.enum(['strict', 'mounted-secret'], { error: 'strict or mounted-secret' });

export const logFormat = z.enum(['pretty', 'json'], { error: 'pretty or json' });
