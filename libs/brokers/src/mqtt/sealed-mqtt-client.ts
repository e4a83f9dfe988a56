import { Logger } from '@nestjs/common';
import { ClientMqtt } from '@nestjs/microservices';
import type { ReadPacket, WritePacket } from '@nestjs/microservices';

import { CallTrace } from '../call-trace.js';
import { traceEvent, traceRequest } from '../handler/traced-calls.js';
import { ClientRequests } from '../pubsub/client-requests.js';
import type { Refusals } from '../seal/refusals.js';
import { SealedSession } from '../seal/sealed-session.js';
import { innerParts, outerOptions } from './mqtt-library.js';
import type { MqttConnection, MqttPublishOptions } from './mqtt-library.js';
import type { SealedMqttOptions } from './sealed-mqtt-server.js';

/** Nest's MQTT client, which in the mode `seal` seals messages and opens answers: `customClass: SealedMqttClient`. */
export class SealedMqttClient extends ClientMqtt {
  readonly #session: SealedSession;
  readonly #requests: ClientRequests;

  /** @throws {TransportError} `ERR_BAD_OPTION` */
  constructor({ seal, ...options }: SealedMqttOptions) {
    super(options);
    const logger = new Logger(SealedMqttClient.name);
    this.#session = new SealedSession({ scheme: 'mqtt', side: 'client', seal, logger });
    this.#requests = new ClientRequests(this.#session, (topic) => this.getResponsePattern(topic));
  }

  /** The number of messages that have been refused since the client was created, by reason. */
  get refusals(): Refusals['counts'] {
    return this.#session.refusals.counts;
  }

  /** Loads the keys and connects. Rejects with the `CryptoError` of the key file. */
  override async connect(): Promise<unknown> {
    await this.#session.start();
    return super.connect();
  }

  /** Creates a connection of `mqtt` whose `publish` seals. */
  override createClient(): MqttConnection {
    const connection = super.createClient() as MqttConnection;
    const publish = connection.publish.bind(connection);
    const subscribe = connection.subscribe.bind(connection);
    const unsubscribe = connection.unsubscribe.bind(connection);
    const sealing: MqttConnection = {
      publish: (topic, data, optionsOrCallback = {}, last) => {
        const isCallback = typeof optionsOrCallback === 'function';
        const [given, callback] = isCallback ? [{}, optionsOrCallback] : [optionsOrCallback, last];
        const { isSealing, openHeaders } = this.#session.settings;
        const options = isSealing ? withAttached(given) : given;
        const outer = isSealing ? outerOptions(options, openHeaders) : given;
        const send = (sent: Uint8Array | string): unknown => publish(topic, sent, outer, callback);
        return this.#requests.publish(topic, data, send, innerParts(options));
      },
      // Nest publishes a request in such a callback, which the library calls in the async context of its socket.
      subscribe: (...args) => subscribe(...args.map((arg) => (isFunction(arg) ? this.#requests.keep(arg) : arg))),
      // Nest counts a request only after its subscription, and ends that of others when the first ones are answered.
      unsubscribe: (topic, ...others) => !this.#requests.isAwaited(String(topic)) && unsubscribe(topic, ...others),
    };
    return Object.assign(connection, sealing);
  }

  /** Returns the function that receives every answer, and opens it first. */
  override createResponseCallback(): (topic: string, data: Buffer) => Promise<void> {
    const respond = super.createResponseCallback();
    return async (topic, data) => {
      try {
        const opened = this.#requests.open(topic, data);
        if (opened !== undefined) await respond(topic, opened.kind === 'plain' ? data : opened.payload);
      } catch (error) {
        this.logger.error(error);
      }
    };
  }

  /** Closes the connection to the broker, and stops watching the key file. */
  override async close(): Promise<void> {
    try {
      await super.close();
      // Nest 11 does not, and then a client that connects again gets no answers.
      this.isInitialConnection = false;
      this.subscriptionsCount.clear();
    } finally {
      this.#session.close();
    }
  }

  protected override publish(packet: ReadPacket, callback: (packet: WritePacket) => unknown): () => void {
    const name = this.normalizePattern(packet.pattern);
    return traceRequest({ system: 'mqtt', pattern: name }, callback, (traced) =>
      this.#requests.request(
        name,
        (err) => void traced({ err }),
        () => super.publish(packet, traced),
      ),
    );
  }

  protected override dispatchEvent(packet: ReadPacket): Promise<unknown> {
    const name = this.normalizePattern(packet.pattern);
    return traceEvent({ system: 'mqtt', pattern: name }, () => this.#requests.event(() => super.dispatchEvent(packet)));
  }
}

/** Returns options with the headers that were attached to the call that is being sent. */
function withAttached(options: MqttPublishOptions): MqttPublishOptions {
  const { properties } = options;
  const userProperties = CallTrace.current?.withAttached(properties?.userProperties);
  return userProperties === undefined ? options : { ...options, properties: { ...properties, userProperties } };
}

function isFunction(value: unknown): value is (...args: unknown[]) => unknown {
  return typeof value === 'function';
}
