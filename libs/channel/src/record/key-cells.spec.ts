import { describe, expect, it, onTestFinished } from 'vitest';

import { freeCell, takeCell, viewCell } from './key-cells.js';

const KEYS = Array.from({ length: 3_000 }, (_, n) => Buffer.alloc(32, n % 251).fill(n >> 8, 0, 1));

function takeAll(): number[] {
  const cells = KEYS.map(takeCell);
  onTestFinished(() => cells.forEach(freeCell));
  return cells;
}

describe('the cells of traffic keys', () => {
  it('keep every key as it was given, apart from all others', () => {
    const cells = takeAll();
    expect(new Set(cells).size).toBe(KEYS.length);
    expect(cells.map((cell) => viewCell(cell).equals(KEYS[cells.indexOf(cell)] ?? Buffer.of()))).not.toContain(false);
  });

  it('are overwritten when they are free, and taken again', () => {
    const cell = takeCell(Buffer.alloc(32, 7));
    const view = viewCell(cell);
    freeCell(cell);
    expect(view).toEqual(Buffer.alloc(32));
    const next = takeCell(Buffer.alloc(32, 8));
    expect(next).toBe(cell);
    freeCell(next);
  });

  it('do not share their memory with the small Buffers of the process', () => {
    const cell = takeCell(Buffer.alloc(32, 7));
    expect(viewCell(cell).buffer).not.toBe(Buffer.allocUnsafe(8).buffer);
    freeCell(cell);
  });
});
