import type { ClientLink, LinkEvents } from '../../client/client-link.js';
import type { ClientConnectionEvent } from '../../client/connection-event.js';
import type { ServerConnector } from './server-connector.js';

/** The pool of a connector. It sees each change before the event of that change is emitted. */
export interface ConnectorOwner {
  /** Returns whether the client has no other address, so that no call can use another one. */
  isSingle(): boolean;
  /** Numbers a dial that begins. */
  beginDial(): number;
  open(connector: ServerConnector, signal: AbortSignal, events: LinkEvents): Promise<ClientLink>;
  /** Returns whether calls can use another connection. */
  hasOther(connector: ServerConnector): boolean;
  /** Returns whether the server is dialed again without a new call. */
  keepsDialing(connector: ServerConnector): boolean;
  /** Returns whether the server is connected under another address. */
  isAlias(connector: ServerConnector, link: ClientLink): boolean;
  /** @param replaced - The connection that a renewal has replaced. */
  noteOpened(connector: ServerConnector, link: ClientLink, replaced: ClientLink | undefined): void;
  /** Notes that a connection takes no new calls. @param isLost - Whether it was lost, so that it did not drain. */
  noteLeft(connector: ServerConnector, link: ClientLink, isLost: boolean): void;
  /** Called after {@link noteLeft}, when the calls that waited at a draining connection have moved. */
  noteMoved(connector: ServerConnector): void;
  noteAlias(connector: ServerConnector): void;
  noteFailed(connector: ServerConnector): void;
  /** Notes that a connector waits for the next call, or is gone and no longer has a connection. */
  noteResting(connector: ServerConnector): void;
  noteClosed(link: ClientLink): void;
  noteKept(link: ClientLink): void;
  /** Notes that an address no longer leads to this server instance. */
  noteInstanceLeft(serverId: string): void;
  emit(event: ClientConnectionEvent): void;
}
