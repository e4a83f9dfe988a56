import { TransportError } from '../errors.js';
import type { Session } from '../handshake/index.js';
import { hasMethod, ignoreRejection, isThenable, show } from '../options/option-check.js';
import type { OutgoingContent, RecordContent } from '../record/content.js';
import type { KeyLimits } from '../record/half-connection.js';

const METHODS = ['keyLeftMs', 'isShortOfUpdates', 'hibernate'];

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

/**
 * Checks what `createCodec` of a subclass returned, before anything relies on it.
 *
 * @throws {TransportError} `ERR_INTERNAL`
 */
export function checkCodec(codec: ConnectionCodec): ConnectionCodec {
  if (isCodec(codec)) return codec;
  ignoreRejection(codec);
  const got = isThenable(codec) ? 'a promise' : show(codec);
  throw new TransportError(
    'ERR_INTERNAL',
    `The result of createCodec is ${got}; it must be a codec, as super.createCodec() returns it`,
    { sent: false },
  );
}

function isCodec(value: unknown): boolean {
  return (
    METHODS.every((method) => hasMethod(value, method)) &&
    isHalf(Reflect.get(Object(value), 'serializer'), 'serialize') &&
    isHalf(Reflect.get(Object(value), 'deserializer'), 'deserialize')
  );
}

function isHalf(value: unknown, method: string): boolean {
  return hasMethod(value, method) && hasMethod(value, 'wipe');
}
