import { TransportError } from '../errors.js';
import type { CloseReason } from '../record/content.js';

/** What pending calls fail with. A server that turns a client away, by its first record, has handed nothing over. */
export function closedByPeer(reason: CloseReason, isFirstRecord: boolean): TransportError {
  const code = reason === 'limit' ? 'ERR_OVERLOADED' : 'ERR_CONNECTION_CLOSED';
  const options = reason === 'limit' && isFirstRecord ? { sent: false } : {};
  return new TransportError(code, `The peer closed the connection (${reason})`, options);
}

/**
 * What calls fail with that the end of a drain cuts off.
 *
 * @param isOfPeer - The peer began the drain. @param isClosed - `close()` was called: it is the client's own doing.
 */
export function cutOff(isOfPeer: boolean, isClosed: boolean): TransportError {
  if (isOfPeer) return closedByPeer('goingAway', false);
  if (isClosed)
    return new TransportError('ERR_CLIENT_CLOSED', 'The client closed the connection before the end of the answer');
  return new TransportError('ERR_CONNECTION_CLOSED', 'The connection was replaced before the end of the answer');
}
