import { Connection } from '../connection/connection.js';
import { dial } from '../connection/dial.js';
import type { DialOptions } from '../connection/dial.js';
import { TransportError } from '../errors.js';
import { ClientStreams } from '../frame/client-streams.js';
import type { ClientStreamsOptions } from '../frame/client-streams.js';
import type { EventSequence } from '../frame/event-sequence.js';
import type { Limits } from '../limits.js';
import type { EventSequences } from './event-sequences.js';
import { takeCodec } from './sealing.js';

/** A client's open connection, and the streams on it. */
export interface Link {
  readonly connection: Connection;
  readonly streams: ClientStreams;
}

export interface LinkEvents {
  /** The session, or its keys, are so old that another connection should take its place. It comes once or more. */
  readonly aged: (link: Link) => void;
  /** No new streams here: the next call takes another connection. */
  readonly retired: (link: Link) => void;
  /** Without {@link retired} where it is lost; calls that fail with it are told afterwards. */
  readonly closed: (link: Link, error: TransportError | undefined) => void;
}

/** Dials, and puts streams and connection together. Rejects as {@link dial} does. */
export async function openLink(
  options: DialOptions,
  limits: Limits,
  sequences: EventSequences,
  events: LinkEvents,
): Promise<Link> {
  let link: Link | undefined;
  let failure: TransportError | undefined;
  const notify = (told: (link: Link) => void): void => {
    if (link !== undefined) told(link);
  };
  let serverId: Buffer | undefined;
  let isClosed = false;
  const close = (error: TransportError | undefined): void => {
    if (isClosed) return;
    isClosed = true;
    failure = error;
    if (serverId !== undefined) sequences.left(serverId);
    notify((closed) => events.closed(closed, error));
  };
  await dial(options, ({ socket, session }) => {
    ({ serverId } = session);
    const sequence = sequences.of(serverId);
    const streams = createStreams(session.peer, limits, sequence, () => connection.scheduleFlush());
    const connection: Connection = new Connection({
      role: 'client',
      confirm: session.confirm,
      socket,
      codec: takeCodec(session, limits.key),
      streams,
      limits,
      events: {
        aged: () => notify(events.aged),
        goingAway: () => notify(events.retired),
        lost: close,
        closed: close,
      },
    });
    link = { connection, streams };
  });
  if (link === undefined) throw new TypeError('A dial that succeeds opens a connection');
  // It can be lost again before anybody knows of it: nothing closes it any more, so nobody may take it up.
  if (!link.connection.isOpen)
    throw (
      failure?.ofMessage(false) ??
      new TransportError('ERR_CONNECTION_LOST', 'The connection was lost as soon as it was open', { sent: false })
    );
  return link;
}

function createStreams(
  peer: ClientStreamsOptions['peer'],
  limits: Limits,
  sequence: EventSequence,
  begun: () => void,
): ClientStreams {
  const { maxQueuedBytes, maxQueuedMessages } = limits;
  return new ClientStreams({ own: limits, peer, maxQueuedBytes, maxQueuedMessages, sequence, begun });
}
