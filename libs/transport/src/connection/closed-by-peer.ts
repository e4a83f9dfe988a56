import { TransportError } from '../errors.js';
import type { CloseReason } from '../record/content.js';

/** What pending calls fail with. A server that turns a client away, by its first record, has handed nothing over. */
export function closedByPeer(reason: CloseReason, isFirstRecord: boolean): TransportError {
  const code = reason === 'limit' ? 'ERR_OVERLOADED' : 'ERR_CONNECTION_CLOSED';
  const options = reason === 'limit' && isFirstRecord ? { sent: false } : {};
  return new TransportError(code, `The peer closed the connection (${reason})`, options);
}

/** For what a client cuts off; a server has no caller that could be told. */
export function closedHere(): TransportError {
  return new TransportError('ERR_CLIENT_CLOSED', 'The client closed the connection before the end of the answer');
}
