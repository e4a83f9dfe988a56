import { checkCodec } from '../connection/codec.js';
import type { CodecFactory } from '../connection/codec.js';
import { Connection } from '../connection/connection.js';
import { publishConnectionClosed, publishConnectionOpened, publishHandshakeDone } from '../diagnostics.js';
import type { ObservedPeer } from '../diagnostics.js';
import { TransportError } from '../errors.js';
import { thisMoment } from '../moment.js';
import type { Limits } from '../options/limits.js';
import type { OutgoingMessage } from '../sending/outgoing-message.js';
import type { AnswerSink, ClientStream } from '../streams/client-stream.js';
import { ClientStreams } from '../streams/client-streams.js';
import type { Dialed } from './dial.js';
import type { EventSequences } from './event-sequences.js';
import type { LinkKey } from './link-key.js';

export interface LinkEvents {
  /** Fires when the session or its keys are old and the connection should be replaced. May fire again. */
  readonly onAged: (link: ClientLink) => void;
  /**
   * Fires when the connection takes no new streams: the next call needs another connection.
   *
   * @param move - Fails the calls that may move to another connection. Called after the listener, unless it does so.
   */
  readonly onRetired: (link: ClientLink, move: () => void) => void;
  /**
   * Fires once when the connection has ended; its calls fail afterwards. A lost connection ends without
   * {@link onRetired}.
   */
  readonly onClosed: (link: ClientLink, error: TransportError | undefined) => void;
  /**
   * Fires when events of this connection wait to be sent again, and no other connection to the same server takes them.
   * May fire before and after {@link onClosed}, and again.
   */
  readonly onKept: (link: ClientLink) => void;
}

export interface ClientLinkOptions {
  readonly limits: Limits;
  readonly createCodec: CodecFactory;
  readonly sequences: EventSequences;
  readonly key: LinkKey;
  /** The server as published on the diagnostics channels. */
  readonly peer: ObservedPeer;
  readonly events: LinkEvents;
}

/** An open connection of a client, and its streams. */
export class ClientLink {
  readonly connection: Connection;
  readonly streams: ClientStreams;
  /** The instance id of the server, 16 bytes as a latin1 string. */
  readonly serverId: string;
  readonly #options: ClientLinkOptions;
  /** Requests that were cancelled without an answer while the number of bytes read stayed the same. */
  #unanswered = { count: 0, bytesRead: -1 };
  #end: { readonly error: TransportError | undefined } | undefined;

  /** Takes ownership of the socket. */
  constructor({ socket, session }: Dialed, options: ClientLinkOptions) {
    const { limits, sequences, events } = options;
    const codec = checkCodec(options.createCodec(session, limits.key, options.peer.address)); // before anything that has to be released
    this.#options = options;
    this.serverId = session.serverId.toString('latin1');
    this.streams = new ClientStreams({
      own: limits,
      peer: session.peer,
      maxQueuedBytes: limits.maxQueuedBytes,
      maxQueuedMessages: limits.maxQueuedMessages,
      sequence: sequences.of(this.serverId),
      openedAt: thisMoment(),
      onKept: () => events.onKept(this),
      onUnanswered: () => this.#noteUnanswered(),
    });
    this.connection = new Connection({
      role: 'client',
      confirm: session.confirm,
      socket,
      codec,
      streams: this.streams,
      limits,
      events: {
        onAged: () => events.onAged(this),
        onGoingAway: (move) => events.onRetired(this, move),
        onLost: (error) => this.#noteEnd(error),
        onClosed: (error) => this.#noteEnd(error),
      },
    });
    publishHandshakeDone('client', options.peer);
    publishConnectionOpened('client', options.peer, socket);
  }

  /** The address of the server, as diagnostics name it. */
  get server(): string | undefined {
    return this.#options.peer.address;
  }

  /** Whether the client now connects with a different key. */
  get isOutdated(): boolean {
    return this.#options.key.isOutdated;
  }

  /**
   * The number of requests that were cancelled without an answer, for example by their timeouts, since the server last
   * sent something.
   */
  get unansweredCount(): number {
    return this.connection.socket.bytesRead === this.#unanswered.bytesRead ? this.#unanswered.count : 0;
  }

  /** @throws {TransportError} The reason why the connection ended; `ERR_CONNECTION_LOST` if it has none. */
  throwUnlessOpen(): void {
    if (this.connection.isOpen) return;
    if (this.#end?.error !== undefined) throw this.#end.error.ofMessage(false);
    throw new TransportError('ERR_CONNECTION_LOST', 'The connection was lost immediately after the handshake', {
      sent: false,
    });
  }

  /**
   * Resends the events of earlier, lost connections to this server, before any new event. Must be called before the
   * connection is used for its first event.
   */
  takeKept(): void {
    this.streams.takeKept();
  }

  /**
   * Takes over the events that wait for a slot on the old connection, because a long request may keep that connection
   * open.
   */
  takeEventsOf({ streams }: ClientLink): void {
    this.streams.takeEventsOf(streams);
  }

  /**
   * Opens a request or an event. Retires the connection if its stream ids run out: the next call then uses another one.
   *
   * @throws {TransportError} An error of `ClientStreams.open`.
   */
  open(kind: ClientStream['kind'], message: OutgoingMessage, sink: AnswerSink): ClientStream {
    if (kind === 'EVENT') this.streams.takeKept();
    const stream = this.streams.open(kind, message, sink);
    if (this.streams.isNearlyExhausted) this.connection.retire();
    return stream;
  }

  /**
   * Counts an unanswered request. The first one sends a PING, whose answer shows that the server only takes long for
   * the request.
   */
  #noteUnanswered(): void {
    const count = this.unansweredCount + 1;
    this.#unanswered = { count, bytesRead: this.connection.socket.bytesRead };
    if (count === 1) this.connection.ping().catch(() => undefined);
  }

  #noteEnd(error: TransportError | undefined): void {
    if (this.#end !== undefined) return;
    this.#end = { error };
    const { key, sequences, peer, events } = this.#options;
    key.end();
    sequences.release(this.serverId);
    publishConnectionClosed('client', peer, this.connection.socket, error);
    events.onClosed(this, error);
  }
}
