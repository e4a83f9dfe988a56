import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';

import { describe, expect, it } from 'vitest';

import { resolveLimits } from '../options/limits.js';
import { SendWindow } from '../record/send-window.js';
import { takeSlab } from '../record/slab.js';
import { TakenBytes } from '../record/taken-bytes.js';
import { ServerStreams } from '../streams/server-streams.js';
import { Clocks } from './clocks.js';
import { Heartbeat } from './heartbeat.js';
import { Outbox } from './outbox.js';
import { RecordWriter } from './record-writer.js';

const SEALED_BYTES = 100_000;

/**
 * A socket that flushes nothing immediately. As in Node, it says that it takes more before it calls the callbacks of
 * writes.
 */
class SlowSocket extends EventEmitter {
  readonly written: Buffer[] = [];
  writableLength = 0;
  writableNeedDrain = true;
  #callbacks: (() => void)[] = [];

  write(bytes: Buffer, callback: () => void): void {
    this.written.push(bytes);
    this.writableLength += bytes.length;
    this.#callbacks.push(callback);
  }

  takeAll(): void {
    const callbacks = this.#callbacks;
    this.#callbacks = [];
    this.writableLength = 0;
    this.emit('drain');
    for (const callback of callbacks) callback();
  }
}

const ignore = (): undefined => undefined;
const CODEC = { keyLeftMs: () => Infinity, isShortOfUpdates: () => false, hibernate: ignore };
const OWNER = {
  send: ignore,
  flush: ignore,
  hibernate: ignore,
  age: ignore,
  expireDrain: ignore,
  destroy: ignore,
  stalestProgressMs: undefined,
  creditOwedSinceMs: undefined,
};

/** It does as a socket does, as far as the writer looks. */
const asSocket = (slow: unknown): Socket => slow as Socket;

describe('RecordWriter', () => {
  it('returns the slab of every write that a slow socket has finished, so that no later write is copied', () => {
    const slow = new SlowSocket();
    const limits = resolveLimits({});
    const handler = {
      onRequestBegun: ignore,
      onRequest: ignore,
      onEvent: ignore,
      onNoMemory: ignore,
      onShutDown: ignore,
      onCancelled: ignore,
    };
    const streams = new ServerStreams({
      own: limits,
      peer: limits,
      maxQueuedBytes: limits.maxQueuedBytes,
      handler,
    });
    const writer = new RecordWriter({
      socket: asSocket(slow),
      streams,
      limits,
      outbox: new Outbox({ streams, heartbeat: new Heartbeat(), taken: new TakenBytes(), window: new SendWindow() }),
      serializer: { serialize: () => takeSlab().subarray(0, SEALED_BYTES), wipe: () => undefined },
      clocks: new Clocks(limits, new Heartbeat(), CODEC, Infinity, OWNER),
      owner: {
        noteFlushed: ignore,
        destroy: (error) => {
          throw error;
        },
      },
    });
    writer.flush();
    for (let write = 0; write < 40; write++) slow.takeAll();
    writer.stop();
    expect(slow.written).toHaveLength(41);
    expect(slow.written.filter(({ buffer }) => buffer.byteLength === SEALED_BYTES)).toEqual([]);
    expect(new Set(slow.written.map(({ buffer }) => buffer)).size).toBeLessThanOrEqual(2);
  });
});
