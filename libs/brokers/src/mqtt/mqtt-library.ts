// The part that is used of `mqtt`, which is not imported: Nest loads it.
import { groupedByName } from '../seal/inner-message.js';
import type { HeaderEntry, InnerParts } from '../seal/inner-message.js';

/** The properties of MQTT 5. */
export interface MqttProperties {
  readonly userProperties?: Readonly<Record<string, string | readonly string[]>>;
  readonly contentType?: string;
  readonly responseTopic?: string;
  readonly correlationData?: Buffer;
  /** Any other one is for the broker. */
  readonly [name: string]: unknown;
}

export interface MqttPublishOptions {
  readonly properties?: MqttProperties;
  readonly [name: string]: unknown;
}

export type MqttCallback = (...result: never[]) => void;

export interface MqttConnection {
  publish(
    topic: string,
    data: Uint8Array | string,
    options?: MqttPublishOptions | MqttCallback,
    callback?: MqttCallback,
  ): unknown;
  subscribe(...args: unknown[]): unknown;
  unsubscribe(topic: unknown, ...others: unknown[]): unknown;
}

/** A message as the client library gives it to Nest, without its payload. */
export type MqttPacket = Readonly<Record<string, unknown>> & { readonly properties?: MqttProperties };

/** Returns the parts of the options that only the receiver needs: they are sealed. */
export function innerParts({ properties = {} }: MqttPublishOptions): InnerParts {
  const { userProperties = {}, contentType, responseTopic, correlationData } = properties;
  const headers = Object.entries(userProperties).flatMap(([name, values]) =>
    [values].flat().map((value): HeaderEntry => [name, value]),
  );
  const sealed = { contentType, responseTopic, correlationData: correlationData?.toString('base64url') };
  const entries = Object.entries(sealed).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return { ...(headers.length > 0 && { headers }), ...(entries.length > 0 && { properties: entries }) };
}

/**
 * Returns the options as the broker sees them.
 *
 * @param openNames - The user properties that are also sent in the clear, in lower case.
 */
export function outerOptions(options: MqttPublishOptions, openNames: readonly string[]): MqttPublishOptions {
  const { properties = {}, ...others } = options;
  const open = Object.entries(properties.userProperties ?? {}).filter(([name]) =>
    openNames.includes(name.toLowerCase()),
  );
  // Without an empty object for user properties: a message with one is not sent.
  const outer = { ...forBroker(properties), ...(open.length > 0 && { userProperties: Object.fromEntries(open) }) };
  return Object.keys(outer).length > 0 ? { ...others, properties: outer } : others;
}

/** Returns a received packet with the sealed properties in the place of those that the broker passed on. */
export function openedPacket(packet: MqttPacket, topic: string, payload: Buffer, head: InnerParts): MqttPacket {
  const { properties: received = {}, ...others } = packet;
  const { correlationData, ...texts } = Object.fromEntries(head.properties ?? []);
  const properties = {
    ...forBroker(received),
    ...texts,
    ...(correlationData !== undefined && { correlationData: Buffer.from(correlationData, 'base64url') }),
    ...(head.headers !== undefined && { userProperties: groupedByName(head.headers) }),
  };
  return { ...others, topic, payload, ...(Object.keys(properties).length > 0 && { properties }) };
}

function forBroker(properties: MqttProperties): MqttProperties {
  const { userProperties: _, contentType: __, responseTopic: ___, correlationData: ____, ...others } = properties;
  return others;
}
