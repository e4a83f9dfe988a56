import type { SecretKey } from '@sealwire/crypto';

import { answerIncomplete } from '../errors.js';
import { passOn } from '../handler/passed-on.js';
import { AwaitedAnswers } from '../seal/awaited-answers.js';
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
  /** By inbox. */
  readonly #awaited = new AwaitedAnswers();

  constructor(unsealed: NatsConnection, seals: Seals) {
    super(unsealed, seals);
    this.#open = seals.opener('off');
  }

  /** Receives the answer to one request. */
  subscribe(inbox: string, { callback }: { callback: NatsCallback }): NatsSubscription {
    const subscription = this.unsealed.subscribe(inbox, {
      callback: (error, message) => {
        if (error === null) this.#receive(inbox, message, callback);
        else callback(error, message);
      },
    });
    return {
      unsubscribe: () => {
        this.#awaited.delete(inbox);
        subscription.unsubscribe();
      },
    };
  }

  protected override onSealed(reply: string | undefined, { id }: SecretKey): void {
    if (reply !== undefined) this.#awaited.add(reply, id);
  }

  #receive(inbox: string, message: NatsMessage, callback: NatsCallback): void {
    const fail = (error: unknown): void => void callback(error as Error, message);
    if (isNoResponders(message)) {
      passOn(() => callback(null, message), fail);
      return;
    }
    const received = this.#open(inbox, inbox, message.data);
    if (received.kind === 'plain') passOn(() => callback(null, message), fail);
    if (received.kind !== 'sealed') return;
    const { head, key, payload } = received;
    const place = head.answer === undefined ? 'key' : this.#awaited.take(inbox, key.id, head.answer);
    if (place === 'next') {
      const headers = innerHeaders(head.headers, message.headers);
      const opened = new OpenedMessage({ subject: inbox, data: payload, headers });
      passOn(() => callback(null, opened), fail);
      return;
    }
    this.seals.refuse(place === 'key' || place === 'unknown' ? 'key' : 'order', inbox, key);
    if (place === 'gap') fail(answerIncomplete());
  }
}

function isNoResponders({ data, headers }: NatsMessage): boolean {
  return data.length === 0 && headers?.code === NO_RESPONDERS;
}
