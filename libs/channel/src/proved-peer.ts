/**
 * The names of the sender of a message. Its key is authenticated; anyone with the same key can use any address and
 * instance id.
 */
export interface PeerNames {
  /** The id of the key, 16 hexadecimal digits. */
  readonly keyId: string;
  /** The label of the key, from the operator; undefined if the key has none. */
  readonly label: string | undefined;
  /** `address:port`; undefined on a Unix domain socket, and if the message came through a broker. */
  readonly address: string | undefined;
  /** The id of the client object. */
  readonly instanceId: string;
}

interface ProvesPeer {
  getPeer(): PeerNames;
}

const MARK = Symbol.for('@sealwire/channel/ProvesPeer');

/**
 * Marks an object whose `getPeer` returns a sender with a proved key, or the prototype of such objects. Other
 * transports have methods of the same name that prove nothing.
 */
export function markProvesPeer(target: ProvesPeer): void {
  Object.defineProperty(target, MARK, { value: true });
}

/** Returns whether an object is marked, by any copy of this package. */
export function provesPeer(value: unknown): value is ProvesPeer {
  return typeof value === 'object' && value !== null && MARK in value;
}
