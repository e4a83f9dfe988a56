// The fields of environment variables. The message of a field says what is accepted.
import { z } from 'zod';

const HOST = /^[A-Za-z0-9._:%-]+$/; // a name, IPv4 or IPv6: never a URL
const MAX_PORT = 65_535;

export function wholeNumber(min: number, max: number, name = 'a whole number') {
  return z
    .string()
    .refine((text) => /^\d{1,9}$/.test(text) && isWithin(Number(text), min, max), `${name} from ${min} to ${max}`)
    .transform(Number);
}

/** A port to listen on; 0 takes a free one. */
export const port = wholeNumber(0, MAX_PORT);

/** A port to connect to. */
export const remotePort = wholeNumber(1, MAX_PORT);

/** A host name or address; IPv6 with or without its brackets. */
export const host = z
  .string()
  .transform(withoutBrackets)
  .refine((text) => HOST.test(text), 'a host name or an IP address, without a port');

export const flag = z.enum(['true', 'false'], { error: 'true or false' }).transform((text) => text === 'true');

export function withoutBrackets(text: string): string {
  return text.replace(/^\[(.*)\]$/, '$1');
}

function isWithin(number: number, min: number, max: number): boolean {
  return number >= min && number <= max;
}
