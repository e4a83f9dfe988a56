import { BaseRpcContext } from '@nestjs/microservices';
import type { PeerInfo, SocketView } from '@sealwire/channel';
import { LENGTH_BYTES, markProvesPeer } from '@sealwire/channel/internal';
import { brand } from '@sealwire/crypto/internal';

import type { Metadata } from '../packet/message.js';
import { ownCopy } from '../packet/own-copy.js';

/**
 * The client that sent a message. Its key is authenticated; anyone with the same key can use any address and instance
 * id.
 */
export interface SealwirePeer {
  /** The id of the key, 16 hexadecimal digits. */
  readonly keyId: string;
  /** The label of the key, from the operator of the server; undefined if the key has none. */
  readonly label: string | undefined;
  /** `address:port`; undefined on a Unix domain socket. */
  readonly address: string | undefined;
  /** 32 hexadecimal digits that name the client object, as in the log. */
  readonly instanceId: string;
}

export interface MessageInfo {
  readonly peer: PeerInfo;
  readonly pattern: string;
  readonly metadata: Metadata | undefined;
  /** E ‖ T of the record; undefined if the server does not keep records. */
  readonly record: Buffer | undefined;
}

/** Returns a copy of the public names of a client. */
export function namesOf({ keyId, label, address, instanceId }: SealwirePeer): SealwirePeer {
  return { keyId, label, address, instanceId };
}

/** The context of a message: `@Ctx() context: SealwireContext`. It begins with the arguments of a `TcpContext`. */
export class SealwireContext extends BaseRpcContext<
  [socket: SocketView, pattern: string, metadata: Metadata | undefined]
> {
  static {
    brand(this, 'transport/SealwireContext');
    markProvesPeer(this.prototype);
  }

  readonly #peer: PeerInfo;
  readonly #record: Buffer | undefined;
  /** Created with the signal, which most handlers do not use. */
  #cancellation: AbortController | undefined;
  #isCancelled = false;

  constructor({ peer, pattern, metadata, record }: MessageInfo) {
    super([peer.socket, pattern, metadata]);
    this.#peer = peer;
    this.#record = record;
  }

  /** Returns a read-only view of the socket that received the message. */
  getSocketRef(): SocketView {
    return this.args[0];
  }

  /** Returns the route: the pattern itself if it is a string, or the normalized JSON of an object pattern. */
  getPattern(): string {
    return this.args[1];
  }

  /** Returns the metadata of the packet, if the client attached any. */
  getMetadata(): Metadata | undefined {
    return this.args[2];
  }

  /** Returns the client that sent the message, with the current label of its key. */
  getPeer(): SealwirePeer {
    return namesOf(this.#peer);
  }

  /** Returns `address:port` of the client; undefined on a Unix domain socket. */
  getRemoteAddress(): string | undefined {
    return this.#peer.address;
  }

  /** Returns the id of the key of the connection: 16 hexadecimal digits. */
  getKeyId(): string {
    return this.#peer.keyId;
  }

  /**
   * Returns a signal that fires when the answer is no longer needed: the call was cancelled or timed out, or the
   * connection was lost.
   */
  getSignal(): AbortSignal {
    this.#cancellation ??= new AbortController();
    if (this.#isCancelled) this.#cancellation.abort();
    return this.#cancellation.signal;
  }

  /** Returns the record that completed the message, as it was on the wire; undefined without `keepSealedRecord`. */
  getSealedRecord(): Buffer | undefined {
    if (this.#record === undefined) return undefined;
    const length = Buffer.allocUnsafe(LENGTH_BYTES);
    length.writeUInt16BE(this.#record.length);
    return ownCopy(length, this.#record);
  }

  /** @internal Called by the transport only. */
  cancel(): void {
    this.#isCancelled = true;
    this.#cancellation?.abort();
  }
}
