import { EventEmitter, on } from 'node:events';

import type { NatsCallback, NatsConnection, NatsHeaders, NatsPublishOptions } from '@sealwire/brokers';

export interface FakeMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  /** Empty for an event, as in the client library. */
  readonly reply: string;
  readonly headers?: NatsHeaders | undefined;
}

/** Headers as the client library has them: a class whose constructor needs no argument. */
export class FakeHeaders implements NatsHeaders {
  readonly #entries: [name: string, value: string][];
  readonly code: number;

  constructor(entries: Readonly<Record<string, string>> = {}, code = 0) {
    this.#entries = Object.entries(entries);
    this.code = code;
  }

  keys(): readonly string[] {
    return [...new Set(this.#entries.map(([name]) => name))];
  }

  values(name: string): readonly string[] {
    return this.#entries.filter(([known]) => known === name).map(([, value]) => value);
  }

  append(name: string, value: string): void {
    this.#entries.push([name, value]);
  }
}

/** A broker in memory that delivers at once. A test can make it hostile. */
export class FakeNats implements NatsConnection {
  /** Every message that an end has sent. */
  readonly published: FakeMessage[] = [];
  /** Returns what is delivered of a message. */
  onPublish: (message: FakeMessage) => readonly FakeMessage[] = (message) => [message];
  maxBytes = Infinity;
  readonly #events = new EventEmitter();
  readonly #subscriptions = new Set<readonly [pattern: string, callback: NatsCallback]>();

  publish(subject: string, data: Uint8Array | string = '', { reply = '', headers }: NatsPublishOptions = {}): void {
    const message = { subject, data: typeof data === 'string' ? Buffer.from(data) : data, reply, headers };
    if (message.data.length > this.maxBytes) throw new Error('The message is larger than the broker accepts');
    this.published.push(message);
    for (const delivered of this.onPublish(message)) this.deliver(delivered);
  }

  deliver(message: FakeMessage): void {
    for (const [pattern, callback] of this.#subscriptions) {
      if (isCovered(pattern, message.subject)) callback(null, message);
    }
  }

  subscribe(pattern: string, { callback }: { callback: NatsCallback }): { unsubscribe(): void } {
    const subscription = [pattern, callback] as const;
    this.#subscriptions.add(subscription);
    return { unsubscribe: () => void this.#subscriptions.delete(subscription) };
  }

  /** Nothing until the connection is closed. */
  status(): AsyncIterable<unknown> {
    return on(this.#events, 'status', { close: ['close'] });
  }

  rtt(): Promise<number> {
    return Promise.resolve(1);
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  drain(): Promise<void> {
    return this.close();
  }

  close(): Promise<void> {
    this.#subscriptions.clear();
    this.#events.emit('close');
    return Promise.resolve();
  }
}

function isCovered(pattern: string, subject: string): boolean {
  if (pattern.endsWith('>')) return subject.startsWith(pattern.slice(0, -1));
  return pattern === subject || (pattern === '*' && !subject.includes('.'));
}
