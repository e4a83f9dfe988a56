import { BaseRpcContext } from '@nestjs/microservices';
import type { PeerInfo, SocketView } from '@sealwire/channel';
import { brand, LENGTH_BYTES } from '@sealwire/channel/internal';

import type { Metadata } from '../packet/message.js';
import { ownCopy } from '../packet/own-copy.js';

export interface MessageInfo {
  readonly peer: PeerInfo;
  readonly pattern: string;
  readonly metadata: Metadata | undefined;
  /** E ‖ T of the record, where the server keeps it. */
  readonly record: Buffer | undefined;
}

/** What a handler can learn about its message: `@Ctx() context: SealwireContext`. Its arguments are those of a `TcpContext`. */
export class SealwireContext extends BaseRpcContext<
  [socket: SocketView, pattern: string, metadata: Metadata | undefined]
> {
  static {
    brand(this, 'SealwireContext');
  }

  readonly #peer: PeerInfo;
  readonly #record: Buffer | undefined;
  /** Made when somebody asks for the signal: most handlers do not. */
  #cancellation: AbortController | undefined;
  #isCancelled = false;

  constructor({ peer, pattern, metadata, record }: MessageInfo) {
    super([peer.socket, pattern, metadata]);
    this.#peer = peer;
    this.#record = record;
  }

  /** The socket that the message came on, to be looked at: it cannot be written to. */
  getSocketRef(): SocketView {
    return this.args[0];
  }

  /** The pattern as a route: the string itself, or the normalised JSON of an object pattern. */
  getPattern(): string {
    return this.args[1];
  }

  /** What the client attached to the packet, if anything. */
  getMetadata(): Metadata | undefined {
    return this.args[2];
  }

  /** `address:port` of the client; undefined on a Unix domain socket. */
  getRemoteAddress(): string | undefined {
    return this.#peer.address;
  }

  /** The id of the key that the connection was made with: 16 hexadecimal digits. */
  getKeyId(): string {
    return this.#peer.keyId;
  }

  /** Fires when nobody waits for the answer any more: cancelled, timed out, or the connection is gone. */
  getSignal(): AbortSignal {
    this.#cancellation ??= new AbortController();
    if (this.#isCancelled) this.#cancellation.abort();
    return this.#cancellation.signal;
  }

  /** The record in which the message was completed, as it was on the wire; undefined without `keepSealedRecord`. */
  getSealedRecord(): Buffer | undefined {
    if (this.#record === undefined) return undefined;
    const length = Buffer.allocUnsafe(LENGTH_BYTES);
    length.writeUInt16BE(this.#record.length);
    return ownCopy(length, this.#record);
  }

  /** @internal For the transport alone. */
  cancel(): void {
    this.#isCancelled = true;
    this.#cancellation?.abort();
  }
}
