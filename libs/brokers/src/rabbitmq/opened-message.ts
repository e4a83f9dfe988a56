import type { SealedMessage } from '../seal/seals.js';
import type { RmqMessage } from './rmq-library.js';
import { innerProperties } from './rmq-properties.js';
import { fieldsOf } from './rmq-subject.js';

/**
 * Returns a message as Nest reads it, with the sealed content, exchange, routing key, headers and properties, or why it is
 * refused: the parts that are bound to it must be those of its sender.
 */
export function openedMessage(message: RmqMessage, sealed: SealedMessage): RmqMessage | 'subject' | 'form' {
  const { head, payload, subject } = sealed;
  const { correlationId, replyTo } = message.properties;
  const fields = fieldsOf(subject);
  const isRequest = head.reply !== undefined;
  const isMoved = head.reply !== correlationId || (typeof replyTo === 'string' && replyTo !== '') !== isRequest;
  if (fields === undefined || head.answer !== undefined || isMoved) return 'subject';
  const properties = innerProperties(head, message.properties);
  if (properties === undefined) return 'form';
  return { content: bufferOf(payload), fields: { ...message.fields, ...fields }, properties };
}

/** Returns a view of the same bytes. */
export function bufferOf({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}
