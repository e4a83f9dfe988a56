// The subjects of sealed messages: the exchange, `/` and the routing key; for an answer `#` and the id of its request.
// Neither character is in an encoded exchange, so that no two places have the same subject.
import type { RmqFields } from './rmq-library.js';

/** The exchange without a name, which routes by the name of the queue. */
export const DEFAULT_EXCHANGE = '';

/** @throws {URIError} The name of the exchange is not well-formed Unicode. */
export function subjectOf({ exchange, routingKey }: RmqFields): string {
  return `${encodeURIComponent(exchange)}/${routingKey}`;
}

/** Inverts {@link subjectOf}. Returns undefined for any other text, which only a holder of the key can have sealed. */
export function fieldsOf(subject: string): RmqFields | undefined {
  const end = subject.indexOf('/');
  if (end === -1) return undefined;
  try {
    return { exchange: decodeURIComponent(subject.slice(0, end)), routingKey: subject.slice(end + 1) };
  } catch {
    return undefined;
  }
}

export function answerSubject(correlationId: string): string {
  return `#${correlationId}`;
}
