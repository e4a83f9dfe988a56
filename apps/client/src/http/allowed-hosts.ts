// Who may call: a page of another site, or a foreign name made to resolve to this machine (DNS rebinding), may not.

export interface AllowedHost {
  /** Of an origin; undefined allows any. */
  readonly scheme: string | undefined;
  /** In lower case; IPv6 in brackets. */
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

/** What the trigger answers to as long as nothing else is set. */
export const LOOPBACK_HOSTS: readonly AllowedHost[] = ['localhost', '127.0.0.1', '[::1]'].map((name) => ({
  scheme: undefined,
  name,
  port: undefined,
}));

export function isLoopbackName(name: string): boolean {
  return LOOPBACK_HOSTS.some((host) => host.name === name);
}

/** Reads a host name, `name:port` or an origin; undefined if it is none of these. */
export function parseAllowedHost(text: string): AllowedHost | undefined {
  const lower = text.toLowerCase();
  const [, scheme, rest = lower] = ORIGIN.exec(lower) ?? [];
  const [, name, port] = HOST_AND_PORT.exec(rest) ?? [];
  return name === undefined ? undefined : { scheme, name, port: port ?? DEFAULT_PORTS.get(scheme ?? '') };
}

/** Whether the `Host` of a call is one that this app answers to. */
export function isHostAllowed(header: string | undefined, allowed: readonly AllowedHost[]): boolean {
  const host = parseAllowedHost(header ?? '');
  if (host === undefined || host.scheme !== undefined) return false;
  return allowed.some(({ scheme, name, port }) => {
    const given = host.port ?? DEFAULT_PORTS.get(scheme ?? ''); // browsers leave out the port that the scheme implies
    return name === host.name && (port ?? given) === given;
  });
}

/** Whether the `Origin` of a call is that of a page of this app: on the same host and port as it is called by. */
export function isOwnOrigin(origin: string, host: string | undefined): boolean {
  const page = parseAllowedHost(origin);
  const called = parseAllowedHost(host ?? '');
  if (page === undefined || called === undefined) return false;
  const impliedPort = DEFAULT_PORTS.get(page.scheme ?? ''); // none: "null" (a sandboxed page, or a file), or not of the web
  if (impliedPort === undefined) return false;
  return page.name === called.name && page.port === (called.port ?? impliedPort);
}

/** Whether the `Origin` of a call is listed, with its port: a name alone says where this app is, not who may call it. */
export function isOriginListed(header: string | undefined, allowed: readonly AllowedHost[]): boolean {
  const origin = parseAllowedHost(header ?? '');
  if (origin?.scheme === undefined || origin.port === undefined) return false;
  return allowed.some(
    ({ scheme, name, port }) =>
      name === origin.name && port === origin.port && (scheme ?? origin.scheme) === origin.scheme,
  );
}

/** Whether this name or address is reached from this machine only. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}
