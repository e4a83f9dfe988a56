// The errors with which this side fails requests and events of a client.
import { TransportError } from '../errors.js';
import type { TransportErrorCode } from '../errors.js';

/**
 * Returns the failure of a sealed message, which counts as sent unless the server has taken nothing according to the
 * reason.
 */
export function ofSealed(reason: TransportError): TransportError {
  return reason.sent === false ? reason : reason.ofMessage(true);
}

export function refusal(code: TransportErrorCode, message: string): TransportError {
  return new TransportError(code, message, { sent: false });
}

export function noMemory(): TransportError {
  const message = 'There is no memory for the answer: incomplete messages have reached limits.maxIncompleteBytesTotal';
  return new TransportError('ERR_QUEUE_FULL', message, { sent: true });
}

export function tooLarge(bytes: number, maxBytes: number): TransportError {
  const message = `The message is too large: ${bytes} bytes; the server accepts at most ${maxBytes} (limits.maxMessageBytes)`;
  return refusal('ERR_MESSAGE_TOO_LARGE', message);
}
