import { describe, expect, it } from 'vitest';

import { MAX_QUEUED_ROWS, RowQueue } from './row-queue.js';
import type { WireRow } from './wire-row.js';

const ROW: WireRow = {
  kind: 'wire',
  unixMs: 1,
  connection: 1,
  server: '127.0.0.1:1',
  keyId: '0123456789abcdef',
  direction: 'sent',
  number: 0,
  type: 'DATA',
  bytes: 50,
  sealed: 'ab',
};

const linesOf = (text: string): unknown[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line): unknown => JSON.parse(line));

describe('a queue of rows', () => {
  it('returns the rows in order, and then nothing', () => {
    const queue = new RowQueue();
    queue.push(ROW);
    queue.push({ ...ROW, number: 1 });
    expect(linesOf(queue.take())).toEqual([ROW, { ...ROW, number: 1 }]);
    expect(queue.take()).toBe('');
  });

  it('keeps a limited number of rows, and counts the others', () => {
    const queue = new RowQueue();
    for (let number = 0; number < MAX_QUEUED_ROWS + 7; number++) queue.push({ ...ROW, number });
    const rows = linesOf(queue.take());
    expect(rows).toHaveLength(MAX_QUEUED_ROWS + 1);
    expect(rows.at(-1)).toEqual({ kind: 'lost', rows: 7 });
    queue.push(ROW);
    expect(linesOf(queue.take())).toEqual([ROW]);
  });

  it('keeps only the newest state', () => {
    const queue = new RowQueue();
    queue.putState({ kind: 'state', unixMs: 1 });
    queue.putState({ kind: 'state', unixMs: 2 });
    expect(linesOf(queue.take())).toEqual([{ kind: 'state', unixMs: 2 }]);
  });
});
