// The identity by which a caller is limited.
const MAPPED_IPV4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
const IPV6_GROUPS = 8;
const IPV6_NETWORK_GROUPS = 4; // a /64, all of which one machine may have

interface Addressed {
  readonly ip?: unknown;
  readonly socket?: { readonly remoteAddress?: string | undefined };
}

/** Returns the address of the caller as Express derives it from trusted proxies. An IPv6 address counts as its network. */
export function callerOf({ ip, socket }: Addressed): string {
  const address = typeof ip === 'string' ? ip : (socket?.remoteAddress ?? 'unknown');
  const [, ipv4] = MAPPED_IPV4.exec(address) ?? [];
  if (ipv4 !== undefined) return ipv4;
  return address.includes(':') ? ipv6Network(address) : address;
}

function ipv6Network(address: string): string {
  const [head = '', tail] = address.split('%', 1)[0]?.split('::') ?? [];
  const before = groupsOf(head);
  const after = groupsOf(tail ?? '');
  const zeros = tail === undefined ? 0 : Math.max(0, IPV6_GROUPS - before.length - after.length);
  const groups = [...before, ...Array.from({ length: zeros }, () => '0'), ...after];
  return `${groups.slice(0, IPV6_NETWORK_GROUPS).join(':')}::/64`;
}

function groupsOf(text: string): string[] {
  return text === '' ? [] : text.split(':').map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''));
}
