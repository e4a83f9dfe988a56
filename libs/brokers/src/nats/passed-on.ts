import type { NatsCallback, NatsMessage } from './nats-library.js';

/** Passes a message to Nest, whose callbacks return promises. `onFailed` is called if that throws or rejects. */
export function passOn(callback: NatsCallback, message: NatsMessage, onFailed: (error: unknown) => void): void {
  void (async () => callback(null, message))().catch(onFailed);
}
