import { TransportError } from '../errors.js';
import type { CloseReason } from '../record/content.js';

/** What pending calls fail with. A server that turns a client away, by its first record, has handed nothing over. */
export function closedByPeer(reason: CloseReason, isFirstRecord: boolean): TransportError {
  const message = `The peer closed the connection (${reason})`;
  if (reason === 'limit' && isFirstRecord) return new TransportError('ERR_OVERLOADED', message, { sent: false });
  return new TransportError('ERR_CONNECTION_CLOSED', message);
}

/** What calls fail with that are cut off because this side shuts down. */
export function closedHere(): TransportError {
  return new TransportError('ERR_CLIENT_CLOSED', 'The client closed the connection before the end of the answer');
}

export function lost(cause?: Error): TransportError {
  if (cause === undefined) return new TransportError('ERR_CONNECTION_LOST', 'The connection was lost');
  return new TransportError('ERR_CONNECTION_LOST', cause.message, { cause });
}
