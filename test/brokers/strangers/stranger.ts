import type { EngineKind } from '../engines/engine.js';

/** A message as a client of the broker gets it. */
export interface SeenMessage {
  /** The subject, channel or topic. */
  readonly name: string;
  readonly data: Uint8Array;
  /** Where the sender expects the answer, if the broker carries that beside the message. */
  readonly reply?: string | undefined;
  /** What else it gets, such as headers, as text. */
  readonly beside?: string;
}

/** A client of the broker with every right, and without the key. */
export interface Stranger {
  /** Resolves when `see` is called with each message that passes through the broker. */
  watch(see: (message: SeenMessage) => void): Promise<void>;
  /** Resolves when the broker has it. */
  publish(message: SeenMessage): Promise<void>;
  close(): Promise<void>;
}

/** A broker to which a stranger connects. */
export interface OpenBroker {
  readonly name: 'nats' | 'redis' | 'mqtt' | 'rabbitmq';
  readonly kind: EngineKind;
  connect(url: string): Promise<Stranger>;
  /** Returns where the answer to a request arrives. */
  readonly answersTo: (request: SeenMessage) => string;
}
