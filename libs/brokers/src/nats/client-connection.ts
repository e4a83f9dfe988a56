import type { SecretKey } from '@sealwire/crypto';

import { BrokerError } from '../errors.js';
import { passOn } from '../handler/passed-on.js';
import { AnswerOrder } from '../seal/answer-order.js';
import type { Seals } from '../seal/seals.js';
import { innerHeaders } from './nats-library.js';
import type { NatsCallback, NatsConnection, NatsMessage, NatsSubscription } from './nats-library.js';
import { OpenedMessage } from './opened-message.js';
import { SealedConnection } from './sealed-connection.js';

/** The status of an empty message by which the broker reports that no server has the subject of a request. */
const NO_RESPONDERS = 503;

/** The connection of a client, which has an inbox for each request. */
export class SealedClientConnection extends SealedConnection {
  /** Any answer but the next value is refused, so no window is needed. */
  readonly #open: ReturnType<Seals['opener']>;
  /** The ids of the keys of the requests, by inbox. */
  readonly #keyIds = new Map<string, string>();

  constructor(unsealed: NatsConnection, seals: Seals) {
    super(unsealed, seals);
    this.#open = seals.opener('off');
  }

  /** Receives the answer to one request. */
  subscribe(inbox: string, { callback }: { callback: NatsCallback }): NatsSubscription {
    const order = new AnswerOrder();
    const subscription = this.unsealed.subscribe(inbox, {
      callback: (error, message) => {
        if (error === null) this.#receive(inbox, order, message, callback);
        else callback(error, message);
      },
    });
    return {
      unsubscribe: () => {
        this.#keyIds.delete(inbox);
        subscription.unsubscribe();
      },
    };
  }

  protected override onSealed(reply: string | undefined, { id }: SecretKey): void {
    if (reply !== undefined) this.#keyIds.set(reply, id);
  }

  #receive(inbox: string, order: AnswerOrder, message: NatsMessage, callback: NatsCallback): void {
    const fail = (error: unknown): void => void callback(error as Error, message);
    if (isNoResponders(message)) {
      passOn(() => callback(null, message), fail);
      return;
    }
    const received = this.#open(inbox, inbox, message.data);
    if (received.kind === 'plain') passOn(() => callback(null, message), fail);
    if (received.kind !== 'sealed') return;
    const { head, key, payload } = received;
    if (head.answer === undefined || key.id !== this.#keyIds.get(inbox)) {
      this.seals.refuse('key', inbox, key);
      return;
    }
    const place = order.take(head.answer);
    if (place === 'next') {
      const headers = innerHeaders(head.headers, message.headers);
      const opened = new OpenedMessage({ subject: inbox, data: payload, headers });
      passOn(() => callback(null, opened), fail);
      return;
    }
    this.seals.refuse('order', inbox, key);
    if (place === 'gap') fail(new BrokerError('ERR_ANSWER_INCOMPLETE', 'A value of the answer was lost on its way'));
  }
}

function isNoResponders({ data, headers }: NatsMessage): boolean {
  return data.length === 0 && headers?.code === NO_RESPONDERS;
}
