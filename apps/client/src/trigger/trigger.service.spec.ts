import { ClientProxy } from '@nestjs/microservices';
import type { ReadPacket, WritePacket } from '@nestjs/microservices';
import { TransportError } from '@sealwire/transport';
import { firstValueFrom, ReplaySubject } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { MAX_CONNECT_WAIT_MS, TriggerService } from './trigger.service.js';

/** A channel whose one dial ends when the test says so. */
class SlowChannel extends ClientProxy {
  readonly sent: unknown[] = [];
  readonly dial = new ReplaySubject<void>(1);

  override connect(): Promise<void> {
    return firstValueFrom(this.dial);
  }

  override close(): void {
    this.sent.length = 0;
  }

  override unwrap<T>(): T {
    throw new Error('There is no socket');
  }

  protected override publish({ data }: ReadPacket, callback: (packet: WritePacket) => void): () => void {
    this.sent.push(data);
    callback({ response: data, isDisposed: true });
    return () => undefined;
  }

  protected override dispatchEvent<T>({ data }: ReadPacket): Promise<T> {
    this.sent.push(data);
    return Promise.resolve(data as T);
  }
}

describe.each(['send', 'emit'] as const)('a call that needs a connection first: %s', (kind) => {
  let channel: SlowChannel;
  let call: (data: unknown) => Promise<unknown>;

  beforeEach(() => {
    vi.useFakeTimers();
    channel = new SlowChannel();
    const trigger = new TriggerService(channel);
    call = (data) => firstValueFrom(trigger[kind]('pattern', data));
  });

  afterEach(() => vi.useRealTimers());

  it('waits a second for it, then fails unsent, while the dial continues for the next call', async () => {
    const early = call(1).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(MAX_CONNECT_WAIT_MS - 1);
    const inTime = call(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(await early).toMatchObject({ code: 'ERR_CONNECT_TIMEOUT', sent: false });
    channel.dial.next();
    expect(await inTime).toBe(2);
    expect(await call(3)).toBe(3);
    expect(channel.sent).toEqual([2, 3]);
  });

  it('fails immediately if the connection is refused', async () => {
    channel.dial.error(new TransportError('ERR_CONNECT_FAILED', 'refused', { sent: false }));
    await expect(call(1)).rejects.toMatchObject({ code: 'ERR_CONNECT_FAILED' });
  });

  it('may take longer than the wait once there is a connection', async () => {
    channel.dial.next();
    const answered = call(1);
    await vi.advanceTimersByTimeAsync(2 * MAX_CONNECT_WAIT_MS);
    expect(await answered).toBe(1);
  });
});
