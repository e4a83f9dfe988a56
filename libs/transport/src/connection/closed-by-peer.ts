import { TransportError } from '../errors.js';
import type { CloseReason } from '../record/content.js';

/** What pending calls fail with. A server that turns a client away, by its first record, has handed nothing over. */
export function closedByPeer(reason: CloseReason, isFirstRecord: boolean): TransportError {
  const message = `The peer closed the connection (${reason})`;
  if (reason === 'limit' && isFirstRecord) return new TransportError('ERR_OVERLOADED', message, { sent: false });
  return new TransportError('ERR_CONNECTION_CLOSED', message);
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
