import { markProvesPeer } from '@sealwire/channel/internal';
import type { SecretKey } from '@sealwire/crypto';

/** The sender of a sealed message. Its key is proved; anyone with the same key can use any instance id. */
export interface SealedPeer {
  /** 16 hexadecimal digits. */
  readonly keyId: string;
  /** The label of the key, from the operator of the server; undefined if the key has none. */
  readonly label: string | undefined;
  /** Always undefined: a broker is between the two ends. */
  readonly address: undefined;
  /** Names the object that sealed the message. */
  readonly instanceId: string;
  /** Unique for each message, for handlers that must not do the same work twice. */
  readonly messageId: string;
}

/** The addition to the context of Nest for a sealed message. */
export interface SealedContext {
  /** The sender of the message. */
  getPeer(): SealedPeer;
}

/** @param id - `<key id>.<sender>.<counter>` */
export function sealedPeer({ id: keyId, label }: SecretKey, id: string): SealedPeer {
  const [, instanceId = ''] = id.split('.');
  return { keyId, label, address: undefined, instanceId, messageId: id };
}

/** Adds `getPeer` to the context that Nest has made. The same object, because tracing tools know it already. */
export function addPeer(context: object, peer: SealedPeer): void {
  const sealed: SealedContext = { getPeer: () => peer };
  markProvesPeer(Object.assign(context, sealed));
}
