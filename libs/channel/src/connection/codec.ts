import type { Session } from '../handshake/index.js';
import type { OutgoingContent, RecordContent } from '../record/content.js';
import type { KeyLimits } from '../record/half-connection.js';

/**
 * What a connection seals and opens with: Nest's serializer and deserializer interfaces, generic over records, so that
 * the Nest side can provide them and this layer knows nothing of Nest. `wipe`: the connection has ended, the key is
 * overwritten, and nothing can be sealed or opened after that.
 */
export interface ConnectionCodec {
  /**
   * @param contents - Each is written when it is taken, and sealed before the next one is. KEY_UPDATE goes before
   *   each if the key is too old, and before DATA if it has carried enough; one of the contents is its turn and no more.
   * @returns The sealed records, one behind the other, in memory that is used again once it was written; empty if there is
   *   nothing to say.
   */
  readonly serializer: { serialize(contents: Iterable<OutgoingContent>): Buffer; wipe(): void };
  /**
   * @param body - E ‖ T of one record.
   * @throws {TransportError} Whatever it throws ends the connection.
   */
  readonly deserializer: { deserialize(body: Buffer): RecordContent; wipe(): void };
  /** Until the outgoing key is to be replaced, even if nothing else is said; 0 or less: now. */
  keyLeftMs(): number;
  /** Outgoing keys were replaced by their age so often that the connection is to be replaced, before the peer ends it. */
  isShortOfUpdates(): boolean;
  /** Nothing has been said for a while: drops what the next record can make again. */
  hibernate(): void;
}

/** Takes the keys of the session over: it overwrites them, and from then on the codec alone has them. */
export type CodecFactory = (session: Session, limits: KeyLimits) => ConnectionCodec;
