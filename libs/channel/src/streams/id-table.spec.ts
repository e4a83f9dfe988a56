import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { IdTable } from './id-table.js';

const id = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0xffff_ff00, max: 0xffff_ffff }));
const step = fc.record({ does: fc.constantFrom('set', 'delete'), id, value: fc.nat() });

describe('IdTable', () => {
  it('has the same contents as a Map after any sequence of sets and deletes', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const table = new IdTable<number>();
        const map = new Map<number, number>();
        for (const { does, id: at, value } of steps) {
          if (does === 'delete') {
            expect(table.delete(at)).toBe(map.delete(at));
          } else {
            table.set(at, value);
            map.set(at, value);
          }
          expect(table.size).toBe(map.size);
          expect(table.get(at)).toBe(map.get(at));
          expect(table.has(at)).toBe(map.has(at));
        }
        expect(table.entries()).toEqual([...map].sort(([a], [b]) => a - b));
      }),
    );
  });

  it('finds every one of 10,000 ids that are multiples of a power of two', () => {
    const table = new IdTable<number>();
    for (let n = 1; n <= 10_000; n++) table.set(n * 65_536, n);
    for (let n = 1; n <= 10_000; n++) expect(table.get(n * 65_536)).toBe(n);
  });

  it('releases a deleted value', async () => {
    const table = new IdTable<object>();
    let collected = 0;
    const registry = new FinalizationRegistry(() => (collected += 1));
    for (let n = 1; n <= 100; n++) {
      const value = { n };
      registry.register(value, n);
      table.set(n, value);
      table.delete(n);
    }
    const { setFlagsFromString } = await import('node:v8');
    const { runInNewContext } = await import('node:vm');
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    await expect
      .poll(() => {
        collect();
        return collected;
      })
      .toBeGreaterThanOrEqual(99);
    expect(table.size).toBe(0);
  });
});
