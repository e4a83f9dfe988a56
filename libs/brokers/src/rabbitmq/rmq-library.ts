// The parts that are used of `amqplib` and `amqp-connection-manager`. Neither is imported: Nest's own classes load them.

/** The options of a message that is sent, by the names of amqplib. */
export type RmqSendOptions = Readonly<Record<string, unknown>> & {
  readonly headers?: Readonly<Record<string, unknown>> | undefined;
};

export interface RmqMessage {
  readonly content: Uint8Array;
  readonly fields: RmqFields;
  readonly properties: RmqProperties;
}

export interface RmqFields {
  readonly exchange: string;
  readonly routingKey: string;
}

export interface RmqProperties {
  readonly headers?: Readonly<Record<string, unknown>> | undefined;
  readonly correlationId?: unknown;
  readonly replyTo?: unknown;
}

/** Gets null if the broker has cancelled the consumer. */
export type RmqCallback = (message: RmqMessage | null) => unknown;

export interface RmqConsumeOptions {
  readonly noAck?: boolean | undefined;
}

/** The methods of a channel of amqplib that Nest and its handlers call, and that send no message. */
const PASSED_ON = [
  'assertExchange',
  'assertQueue',
  'bindQueue',
  'prefetch',
  'ack',
  'ackAll',
  'nack',
  'nackAll',
  'reject',
] as const;

type PassedOn = (typeof PASSED_ON)[number];

/** A channel of amqplib. */
export interface RmqChannel extends Record<PassedOn, (...args: unknown[]) => unknown> {
  consume(queue: string, callback: RmqCallback, options?: RmqConsumeOptions): unknown;
  on(event: 'error', listener: (error: unknown) => void): unknown;
}

export type SealedRmqChannel = Pick<RmqChannel, PassedOn | 'consume'>;

/** A channel of amqp-connection-manager, which outlives connections. */
export interface RmqChannelWrapper {
  publish(
    exchange: string,
    routingKey: string,
    content: Buffer,
    options?: RmqSendOptions,
    done?: RmqDone,
  ): Promise<boolean>;
  sendToQueue(queue: string, content: Buffer, options?: RmqSendOptions, done?: RmqDone): Promise<boolean>;
  ack(...args: unknown[]): void;
  nack(...args: unknown[]): void;
  close(): Promise<void>;
  on(event: 'error', listener: (error: unknown) => void): unknown;
}

export type RmqDone = (error: unknown) => void;

/** A connection of amqp-connection-manager. */
export interface RmqManager {
  createChannel(options: {
    readonly json: boolean;
    readonly setup: (channel: RmqChannel) => Promise<void>;
  }): RmqChannelWrapper;
  close(): Promise<void>;
  on(event: string, listener: RmqListener): unknown;
  once(event: string, listener: RmqListener): unknown;
  addListener(event: string, listener: RmqListener): unknown;
  removeListener(event: string, listener: RmqListener): unknown;
}

export type RmqListener = (...args: unknown[]) => void;

/** Returns a channel whose consumer is another one. */
export function withConsumer(channel: RmqChannel, consume: RmqChannel['consume']): SealedRmqChannel {
  const methods = PASSED_ON.map((name) => [name, channel[name].bind(channel)] as const);
  return { ...(Object.fromEntries(methods) as Pick<RmqChannel, PassedOn>), consume };
}
