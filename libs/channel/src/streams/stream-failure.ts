// What a request or an event of a client fails with at this side.
import { TransportError } from '../errors.js';
import type { TransportErrorCode } from '../errors.js';

/** What was sealed counts as sent, unless the reason says that the server took nothing. */
export function ofSealed(reason: TransportError): TransportError {
  return reason.sent === false ? reason : reason.ofMessage(true);
}

export function refusal(code: TransportErrorCode, message: string): TransportError {
  return new TransportError(code, message, { sent: false });
}

export function noMemory(): TransportError {
  const message = 'Incomplete messages take as much memory as they may (limits.maxIncompleteBytesTotal)';
  return new TransportError('ERR_QUEUE_FULL', message, { sent: true });
}

export function tooLarge(bytes: number, maxBytes: number): TransportError {
  return refusal('ERR_MESSAGE_TOO_LARGE', `${bytes} bytes; the server takes ${maxBytes} (limits.maxMessageBytes)`);
}
