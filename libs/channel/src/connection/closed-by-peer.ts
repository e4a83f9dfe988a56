import { TransportError } from '../errors.js';
import type { CloseReason } from '../record/content.js';

const REASONS: Readonly<Record<CloseReason, string>> = {
  done: 'the peer no longer needs the connection',
  goingAway: 'the peer is shutting down or replacing an old session',
  idle: 'the connection was idle',
  limit: 'the peer has reached a limit',
};

/** Returns the error of pending calls. A server that rejects a client with its first record has not run any handler. */
export function closedByPeer(reason: CloseReason, isFirstRecord: boolean): TransportError {
  const message = `The peer closed the connection: ${REASONS[reason]}`;
  if (reason === 'limit' && isFirstRecord) return new TransportError('ERR_OVERLOADED', message, { sent: false });
  return new TransportError('ERR_CONNECTION_CLOSED', message);
}

/** Returns the error of calls that this side cuts off when it closes. */
export function closedHere(): TransportError {
  return new TransportError('ERR_CLIENT_CLOSED', 'The client closed the connection before the end of the answer');
}

export function lost(cause?: Error): TransportError {
  if (cause === undefined) return new TransportError('ERR_CONNECTION_LOST', 'The connection was lost');
  return new TransportError('ERR_CONNECTION_LOST', cause.message, { cause });
}
