import { TransportError } from '../errors.js';
import type { Session } from '../handshake/index.js';
import { hasMethod, ignoreRejection, isThenable, show } from '../options/option-check.js';
import type { OutgoingContent, RecordContent } from '../record/content.js';
import type { KeyLimits } from '../record/traffic-key.js';

const METHODS = ['keyLeftMs', 'isShortOfUpdates', 'hibernate'];

/**
 * Seals and opens the records of a connection. The shape is that of Nest's serializer and deserializer, so that the
 * Nest side can provide them without a dependency on Nest here. `wipe` overwrites the keys when the connection has
 * ended.
 */
export interface ConnectionCodec {
  /**
   * @param contents - Each one is written and sealed before the next one is taken. A KEY_UPDATE is inserted before a
   *   content if the key is too old, and before DATA or GOAWAY if the key has sealed enough. A KEY_UPDATE among the
   *   contents is not sealed itself: at that point the serializer inserts a KEY_UPDATE if the key is too old or has
   *   sealed enough, and nothing otherwise.
   * @returns The concatenated records, in memory that is reused after the write; empty if there is nothing to send.
   */
  readonly serializer: { serialize(contents: Iterable<OutgoingContent>): Buffer; wipe(): void };
  /**
   * @param body - E ‖ T of one record.
   * @throws {TransportError} Every error ends the connection.
   */
  readonly deserializer: { deserialize(body: Buffer): RecordContent; wipe(): void };
  /** Returns the time until the outgoing key must be replaced even if nothing else is sent; 0 or less if it is due. */
  keyLeftMs(): number;
  /**
   * Returns whether the outgoing key was replaced by age so often that the connection must be replaced, before the peer
   * ends it.
   */
  isShortOfUpdates(): boolean;
  /** Drops everything that the next record can create again. */
  hibernate(): void;
}

/**
 * Creates the codec of a session and overwrites the keys of the session, so that only the codec has them.
 *
 * @param server - The address of the server, at a client.
 */
export type CodecFactory = (session: Session, limits: KeyLimits, server?: string) => ConnectionCodec;

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
    `The result of createCodec is ${got}; it must be a codec, such as the one that super.createCodec() returns`,
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
