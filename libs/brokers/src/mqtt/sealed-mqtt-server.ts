import { Logger } from '@nestjs/common';
import { ServerMqtt } from '@nestjs/microservices';
import type { MessageHandler, MqttContext, MqttOptions } from '@nestjs/microservices';

import { SealedCalls } from '../handler/sealed-calls.js';
import type { SealedContext } from '../handler/sealed-context.js';
import { safely } from '../pubsub/answer-sealer.js';
import type { Respond, AnswerSealer } from '../pubsub/answer-sealer.js';
import { ServerIntake } from '../pubsub/server-intake.js';
import type { Refusals } from '../seal/refusals.js';
import type { SealOptions } from '../seal/seal-options.js';
import { SealedSession } from '../seal/sealed-session.js';
import { innerParts, openedPacket, outerOptions } from './mqtt-library.js';
import type { MqttConnection, MqttPacket, MqttPublishOptions } from './mqtt-library.js';

/** The options of Nest's MQTT transport, and those for sealing. */
export type SealedMqttOptions = Required<MqttOptions>['options'] & { readonly seal: SealOptions };

/** The context of a handler: `@Ctx() context: SealedMqttContext`. */
export type SealedMqttContext = MqttContext & SealedContext;

type Listened = Parameters<ServerMqtt['listen']>[0];

/** The broker does not say which subscription a message is for, and Nest takes one handler by the topic. */
const ALL_TOPICS = '#';

/**
 * Nest's MQTT server, which opens every message and seals every answer. In the mode `seal`, messages that cannot be
 * opened reach no handler; see {@link refusals}.
 */
export class SealedMqttServer extends ServerMqtt {
  readonly #session: SealedSession;
  readonly #calls: SealedCalls;
  readonly #intake: ServerIntake;

  /** @throws {TransportError} `ERR_BAD_OPTION` */
  constructor({ seal, ...options }: SealedMqttOptions) {
    super(options);
    const logger = new Logger(SealedMqttServer.name);
    const session = new SealedSession({ scheme: 'mqtt', side: 'server', seal, logger });
    this.#session = session;
    this.#calls = new SealedCalls(session);
    const onFailed = (error: unknown): void => void this.logger.error(error);
    this.#intake = new ServerIntake({ session, calls: this.#calls, onFailed });
  }

  /** The number of messages that have been refused since the server was created, by reason. */
  get refusals(): Refusals['counts'] {
    return this.#session.refusals.counts;
  }

  /** Loads the keys and connects. Fails with the `CryptoError` of the key file. */
  override async listen(callback: Listened): Promise<void> {
    try {
      await this.#session.start();
    } catch (error) {
      callback(error);
      return;
    }
    await super.listen((error, ...others) => {
      if (error !== undefined) this.#session.close();
      callback(error, ...others);
    });
  }

  /** Opens a message, and passes it to Nest. Never rejects. */
  override handleMessage(topic: string, data: Buffer, pub: MqttConnection, packet: MqttPacket = {}): Promise<void> {
    const { bind } = this.#session.settings;
    const arrival = {
      subscription: ALL_TOPICS,
      subject: topic,
      bound: bind === 'subject' ? topic : undefined,
      accepts: (sealed: string) => bind !== 'pattern' || this.#haveOneHandler(topic, sealed),
      data,
    };
    return this.#intake.receive(arrival, {
      plain: () => super.handleMessage(topic, data, pub, packet),
      sealed: ({ subject, payload, head }, answer) => {
        const opened = openedPacket(packet, subject, payload, head);
        return super.handleMessage(subject, payload, this.#answering(pub, topic, answer), opened);
      },
    });
  }

  /** Returns the function that answers a request; a failure to seal or to send is logged. */
  override getPublisher(...to: Parameters<ServerMqtt['getPublisher']>): Respond {
    return safely(super.getPublisher(...to) as Respond, (error) => void this.logger.error(error));
  }

  /** Returns the handler of a pattern, wrapped in the checks of the key and of its patterns. */
  override getHandlerByPattern(pattern: string): MessageHandler | null {
    return this.#calls.handlerOf(pattern, super.getHandlerByPattern(pattern), this.getHandlers());
  }

  /** Closes the connection to the broker, and stops watching the key file. */
  override close(): void {
    try {
      super.close();
    } finally {
      this.#session.close();
    }
  }

  #haveOneHandler(topic: string, sealed: string): boolean {
    return super.getHandlerByPattern(topic) === super.getHandlerByPattern(sealed);
  }

  /** Returns a connection for one answer, which sends nothing if the sender has not asked for an answer. */
  #answering(connection: MqttConnection, topic: string, answer: AnswerSealer | undefined): MqttConnection {
    const { openHeaders } = this.#session.settings;
    // The broker may have renamed the request: it renames the answer back.
    const answersTo = this.getReplyPattern(topic);
    const publish = (_: string, data: Uint8Array | string, options: MqttPublishOptions = {}): unknown =>
      answer &&
      connection.publish(answersTo, answer.seal(data, innerParts(options)), outerOptions(options, openHeaders));
    return { ...connection, publish };
  }
}
