import type { ClientConnectionEvent } from '../../client/connection-event.js';

/** An event of one connector, which adds the name of its server. */
export type ConnectorEvent = { [Type in ClientConnectionEvent['type']]: EventWithoutServer<Type> }[Exclude<
  ClientConnectionEvent['type'],
  'eventFailed'
>];
type EventWithoutServer<Type> = Omit<Extract<ClientConnectionEvent, { readonly type: Type }>, 'server'>;
