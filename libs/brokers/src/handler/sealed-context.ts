import { markProvesPeer } from '@sealwire/channel/internal';
import type { SecretKey } from '@sealwire/crypto';

/** The sender of a sealed message. Its key is authenticated; anyone with the same key can use any instance id. */
export interface SealedPeer {
  /** The id of the key, 16 hexadecimal digits. */
  readonly keyId: string;
  /** The label of the key, from the operator of the server; undefined if the key has none. */
  readonly label: string | undefined;
  /** Always undefined: a broker is between the two ends. */
  readonly address: undefined;
  /** The id of the object that sealed the message. */
  readonly instanceId: string;
  /** The id of the message, unique, for handlers that must not do the same work twice. */
  readonly messageId: string;
}

/** The addition to the Nest context for a sealed message. */
export interface SealedContext {
  /** Returns the sender of the message. */
  getPeer(): SealedPeer;
  /** Returns the message as it arrived: an envelope, ASCII. The caller must not change it. */
  getEnvelope(): Uint8Array;
}

export interface SealedOrigin {
  readonly key: SecretKey;
  /** `<key id>.<sender>.<counter>` */
  readonly id: string;
  readonly envelope: Uint8Array;
}

/**
 * Adds the methods to the context that Nest has made, and not to a new object, because tracing tools already refer to
 * it.
 */
export function extendContext(context: object, { key, id, envelope }: SealedOrigin): void {
  const [, instanceId = ''] = id.split('.');
  const peer: SealedPeer = { keyId: key.id, label: key.label, address: undefined, instanceId, messageId: id };
  const sealed: SealedContext = { getPeer: () => peer, getEnvelope: () => envelope };
  markProvesPeer(Object.assign(context, sealed));
}
