import type { LoggerService } from '@nestjs/common';

import { passOn } from '../handler/passed-on.js';
import type { SealedCall, SealedCalls } from '../handler/sealed-calls.js';
import { Claims, groupOf } from '../seal/claims.js';
import { failedPacket, SealedAnswer } from '../seal/sealed-answer.js';
import type { ReceivedMessage, SealedMessage, Seals } from '../seal/seals.js';
import { covers, innerHeaders, isOfBroker } from './nats-library.js';
import type { NatsCallback, NatsConnection, NatsMessage, NatsSubscription } from './nats-library.js';
import { OpenedMessage } from './opened-message.js';
import type { Respond } from './opened-message.js';
import { headOf, SealedConnection } from './sealed-connection.js';

type Opener = ReturnType<Seals['opener']>;

export interface ServerConnectionOptions {
  readonly unsealed: NatsConnection;
  readonly seals: Seals;
  readonly calls: SealedCalls;
  readonly logger: Pick<LoggerService, 'error'>;
}

/** A subscription of a server: the messages of one pattern. */
interface Intake {
  readonly pattern: string;
  readonly open: (message: NatsMessage) => ReceivedMessage;
  readonly callback: NatsCallback;
  /** The end of the ids that are claimed; undefined if every server gets every message. */
  readonly group: string | undefined;
}

/** The connection of a server. A message that does not open never reaches Nest, except a plain one in `open-only`. */
export class SealedServerConnection extends SealedConnection {
  readonly #calls: SealedCalls;
  /** By queue group. */
  readonly #openers = new Map<string, Opener>();
  readonly #claims: Claims | undefined;
  readonly #onFailed: (error: unknown) => void;

  constructor({ unsealed, seals, calls, logger }: ServerConnectionOptions) {
    super(unsealed, seals);
    const { replayStore, maxAgeMs } = seals.settings;
    this.#calls = calls;
    this.#onFailed = (error) => void logger.error(error);
    this.#claims = replayStore && new Claims(replayStore, maxAgeMs, this.#onFailed);
  }

  /** Subscribes with a callback for opened messages, and for plain ones in the mode `open-only`. Refuses all others. */
  subscribe(
    pattern: string,
    { queue, callback }: { queue?: string | undefined; callback: NatsCallback },
  ): NatsSubscription {
    if (isOfBroker(pattern)) return this.unsealed.subscribe(pattern, { queue, callback });
    const open = this.#opener(pattern, queue);
    const intake: Intake = { pattern, open, callback, group: queue && groupOf(queue) };
    return this.unsealed.subscribe(pattern, {
      queue,
      callback: (error, message) => {
        if (error === null) this.#receive(intake, message);
        else callback(error, message);
      },
    });
  }

  protected override onSealed(): void {
    // A server awaits no answers.
  }

  #opener(pattern: string, queue: string | undefined): Intake['open'] {
    const { bind } = this.seals.settings;
    const open = this.#openerOf(queue);
    return ({ subject, reply, data }) => {
      const received = open(subject, bind === 'subject' ? subject : undefined, data);
      if (received.kind !== 'sealed') return received;
      const { head, key } = received;
      const isAnswer = head.answer !== undefined;
      const isMoved = bind === 'subject' && (head.reply ?? '') !== (reply ?? '');
      const isOfOtherHandler = bind === 'pattern' && !covers(pattern, received.subject);
      return isAnswer || isMoved || isOfOtherHandler ? this.seals.refuse('subject', subject, key) : received;
    };
  }

  /**
   * Returns the opener of a queue group, or a new one without a group, because the broker gives a message to one
   * subscription of a group, and to every subscription without a group.
   */
  #openerOf(queue: string | undefined): Opener {
    const known = queue === undefined ? undefined : this.#openers.get(queue);
    const opener = known ?? this.seals.opener('window');
    if (queue !== undefined) this.#openers.set(queue, opener);
    return opener;
  }

  #receive(intake: Intake, message: NatsMessage): void {
    const received = intake.open(message);
    if (received.kind === 'refused') return;
    if (received.kind === 'plain') passOn(() => intake.callback(null, message), this.#onFailed);
    else if (this.#claims === undefined || intake.group === undefined) this.#pass(intake, message, received);
    else void this.#claim(this.#claims, intake, message, received).catch(this.#onFailed);
  }

  async #claim(claims: Claims, intake: Intake, message: NatsMessage, sealed: SealedMessage): Promise<void> {
    const claim = await claims.claim(sealed.subject, `${sealed.id}.${intake.group}`, sealed.envelope.length);
    if (claim === 'first') {
      this.#pass(intake, message, sealed);
      return;
    }
    this.seals.refuse(claim === 'again' ? 'replay' : claim, sealed.subject, sealed.key);
    if (claim !== 'again') this.#pass(intake, message, sealed, claim); // its caller gets an error
  }

  #pass(intake: Intake, message: NatsMessage, sealed: SealedMessage, refusal?: SealedCall['refusal']): void {
    const { head, payload, key, subject, id, envelope } = sealed;
    const { reply } = message;
    const isRequest = head.reply !== undefined && reply !== undefined && reply !== '';
    const { headers } = head;
    const call: SealedCall = { key, id, envelope, pattern: subject, destination: subject, headers, isRequest, refusal };
    const opened = new OpenedMessage({
      subject,
      data: payload,
      reply,
      headers: innerHeaders(head.headers, message.headers),
      ...(isRequest && { respond: this.#answer({ key, inbox: head.reply, reply }) }),
    });
    this.#calls.run(call, () => passOn(() => intake.callback(null, opened), this.#onFailed));
  }

  #answer({ key, inbox, reply }: { key: SealedMessage['key']; inbox: string; reply: string }): Respond {
    const answer = new SealedAnswer<Parameters<Respond>, true>({
      send: (place, [data = '', headers]) => {
        const envelope = this.seals.seal(inbox, headOf({ headers, answer: place }), data, key);
        this.unsealed.publish(reply, envelope, this.outerOptions({ headers }));
        return true;
      },
      failure: [failedPacket(), undefined],
      onFailed: this.#onFailed,
    });
    return (...value) => answer.respond(value) ?? false;
  }
}
