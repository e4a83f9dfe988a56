import { Socket } from 'node:net';

import { describe, expect, it } from 'vitest';

import { SocketView } from '../connection/socket-view.js';
import { SealwireContext } from './context.js';
import { Execution } from './execution.js';

describe('an execution', () => {
  it('starts no handler when it was cancelled while a start hook waited [R5.24]', async () => {
    const told: string[] = [];
    const note =
      (word: string): (() => void) =>
      () =>
        void told.push(word);
    let run = (): Promise<void> => expect.unreachable('the hook was not called');
    const handler = (): Promise<void> => Promise.resolve(note('handler')());
    const sink = {
      only: note('only'),
      next: note('next'),
      whenWritable: () => undefined,
      complete: note('complete'),
      error: note('error'),
    };
    const execution = new Execution({
      handler,
      data: 1,
      context: new SealwireContext({
        peer: { socket: new SocketView(new Socket()), address: undefined, keyId: '' },
        pattern: 'p',
        metadata: undefined,
        record: undefined,
      }),
      hooks: { start: (_context, done) => void (run = done), end: note('end'), failed: note('failed') },
      sink,
      settled: note('settled'),
    });
    void execution.start();
    execution.cancel();
    await run();
    expect(told).toEqual(['settled', 'end']);
  });
});
