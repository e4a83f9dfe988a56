import { ClientProxy } from '@nestjs/microservices';
import type { ReadPacket, WritePacket } from '@nestjs/microservices';
import type { SealwireClientSnapshot } from '@sealwire/transport';
import type { Observable } from 'rxjs';

const NO_HANDLER = 'There is no matching message handler defined in the remote service.';

type Handler = (data: unknown) => Observable<unknown>;

/** A channel without a wire: handlers by their pattern, as normalized by Nest. */
export class FakeChannel extends ClientProxy {
  readonly events: { readonly pattern: unknown; readonly data: unknown }[] = [];
  /** What connecting fails with, as long as it is set. */
  failure: Error | undefined;
  readonly #handlers = new Map<string, Handler>();

  handle(pattern: string, handler: Handler): void {
    this.#handlers.set(pattern, handler);
  }

  override connect(): Promise<void> {
    return this.failure === undefined ? Promise.resolve() : Promise.reject(this.failure);
  }

  async ping(): Promise<number> {
    await this.connect();
    return 1;
  }

  snapshot(): Pick<SealwireClientSnapshot, 'servers'> {
    return { servers: [] };
  }

  override close(): void {
    this.#handlers.clear();
  }

  override unwrap<T>(): T {
    throw new Error('There is no socket');
  }

  protected override publish({ pattern, data }: ReadPacket, callback: (packet: WritePacket) => void): () => void {
    const handler = this.#handlers.get(this.normalizePattern(pattern));
    if (handler === undefined) {
      callback({ err: NO_HANDLER });
      return () => undefined;
    }
    const subscription = handler(data).subscribe({
      next: (response) => callback({ response }),
      error: (err: unknown) => callback({ err }),
      complete: () => callback({ isDisposed: true }),
    });
    return () => subscription.unsubscribe();
  }

  protected override dispatchEvent<T>({ pattern, data }: ReadPacket): Promise<T> {
    this.events.push({ pattern, data });
    return Promise.resolve(undefined as T);
  }
}
