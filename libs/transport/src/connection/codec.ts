import type { OutgoingContent, RecordContent } from '../record/content.js';

/**
 * What a connection seals and opens with: Nest's serializer and deserializer interfaces, generic over records, so that
 * the Nest side can provide them and this layer knows nothing of Nest. `wipe`: the connection has ended, the key is
 * overwritten, and nothing can be sealed or opened after that.
 */
export interface ConnectionCodec {
  /** @returns The sealed records, one behind the other. */
  readonly serializer: { serialize(contents: readonly OutgoingContent[]): Buffer; wipe(): void };
  /**
   * @param body - E ‖ T of one record.
   * @throws {TransportError} Whatever it throws ends the connection.
   */
  readonly deserializer: { deserialize(body: Buffer): RecordContent; wipe(): void };
  /** Nothing has been said for a while: drops what the next record can make again. */
  rest(): void;
}
