// The line that shows what a command is doing.
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Progress } from '#scripts/progress.mjs';

const CLEAR = '\r\u001B[K';

function terminal(columns?: number): { readonly stream: PassThrough; readonly text: () => string } {
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns });
  let text = '';
  stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return { stream, text: () => text };
}

describe('the progress of a command', () => {
  it('appears after a while, with the step of that moment', async () => {
    const { stream, text } = terminal();
    const progress = new Progress(stream, 20);
    progress.show('first');
    progress.show('second');
    await expect.poll(text).toBe(`${CLEAR}second`);
    progress.show('third');
    progress.clear();
    await expect.poll(text).toBe(`${CLEAR}second${CLEAR}third${CLEAR}`);
  });

  it('does not appear if the command has ended before', async () => {
    const { stream, text } = terminal();
    const progress = new Progress(stream, 1);
    progress.show('short');
    progress.clear();
    const other = terminal();
    new Progress(other.stream, 2).show('long');
    await expect.poll(other.text).toBe(`${CLEAR}long`);
    expect(text()).toBe('');
  });

  it('fits into one line of the terminal', async () => {
    const { stream, text } = terminal(10);
    new Progress(stream, 1).show('0123456789');
    await expect.poll(text).toBe(`${CLEAR}012345678`);
  });

  it('is not written to a pipe', () => {
    const written: string[] = [];
    const progress = new Progress({ write: (chunk: string) => written.push(chunk) > 0 }, 0);
    progress.show('step');
    progress.clear();
    expect(written).toEqual([]);
  });
});
