// The Host and Origin checks. They refuse pages of other sites, and foreign names that resolve to this machine (DNS
// rebinding).

export interface AllowedHost {
  /** The scheme of an origin; undefined allows any. */
  readonly scheme: string | undefined;
  /** The host name in lower case, or an address; IPv6 in brackets. */
  readonly name: string;
  /** Undefined allows any. */
  readonly port: string | undefined;
}

const HOST_AND_PORT = /^(\[[0-9a-f:.]+\]|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)\.?(?::(\d{1,5}))?$/;
const ORIGIN = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/;
const DEFAULT_PORTS: ReadonlyMap<string, string> = new Map([
  ['http', '80'],
  ['https', '443'],
]);

/** The hosts that are allowed by default. */
export const LOOPBACK_HOSTS: readonly AllowedHost[] = ['localhost', '127.0.0.1', '[::1]'].map((name) => ({
  scheme: undefined,
  name,
  port: undefined,
}));

export function isLoopbackName(name: string): boolean {
  return LOOPBACK_HOSTS.some((host) => host.name === name);
}

/** Parses a host name, `name:port` or an origin; returns undefined for any other text. */
export function parseAllowedHost(text: string): AllowedHost | undefined {
  const lower = text.toLowerCase();
  const [, scheme, rest = lower] = ORIGIN.exec(lower) ?? [];
  const [, name, port] = HOST_AND_PORT.exec(rest) ?? [];
  return name === undefined ? undefined : { scheme, name, port: port ?? DEFAULT_PORTS.get(scheme ?? '') };
}

/** Returns whether the `Host` of a call is allowed. */
export function isHostAllowed(header: string | undefined, allowed: readonly AllowedHost[]): boolean {
  const host = parseAllowedHost(header ?? '');
  if (host === undefined || host.scheme !== undefined) return false;
  return allowed.some(({ scheme, name, port }) => {
    const given = host.port ?? DEFAULT_PORTS.get(scheme ?? ''); // browsers leave out the port that the scheme implies
    return name === host.name && (port ?? given) === given;
  });
}

/**
 * Returns whether the `Origin` of a call is a page of this app: it has the same host and port as the `Host` of the
 * call.
 */
export function isOwnOrigin(origin: string, host: string | undefined): boolean {
  const page = parseAllowedHost(origin);
  const called = parseAllowedHost(host ?? '');
  if (page === undefined || called === undefined) return false;
  const impliedPort = DEFAULT_PORTS.get(page.scheme ?? ''); // undefined for "null" (a sandboxed page or a file) and other schemes
  if (impliedPort === undefined) return false;
  return page.name === called.name && page.port === (called.port ?? impliedPort);
}

/**
 * Returns whether the `Origin` of a call is listed with its port. A name without a port only allows a `Host`, not an
 * `Origin`.
 */
export function isOriginListed(header: string | undefined, allowed: readonly AllowedHost[]): boolean {
  const origin = parseAllowedHost(header ?? '');
  if (origin?.scheme === undefined || origin.port === undefined) return false;
  return allowed.some(
    ({ scheme, name, port }) =>
      name === origin.name && port === origin.port && (scheme ?? origin.scheme) === origin.scheme,
  );
}

/** Returns whether only this machine can reach the name or address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}
