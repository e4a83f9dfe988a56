import { AsyncLocalStorage } from 'node:async_hooks';

import { beforeEach, describe, expect, it } from 'vitest';

import { FakeClock } from '../../../../test/support/fake-clock.js';
import { LogLimit } from './log-limit.js';

let time: FakeClock;

beforeEach(() => {
  time = FakeClock.install();
});

describe('the limit of the log', () => {
  const written: [string, number][] = [];
  const entry = (name: string) => (suppressed: number) => void written.push([name, suppressed]);

  beforeEach(() => void written.splice(0));

  it('writes the first entry immediately, and the last one at the end of the second with the count between', () => {
    const limit = new LogLimit();
    for (const name of ['a', 'b', 'c', 'd']) limit.write('kind', entry(name));
    expect(written).toEqual([['a', 0]]);
    time.advance(1_000);
    expect(written).toEqual([
      ['a', 0],
      ['d', 2],
    ]);
  });

  it('writes or counts every entry, at most one a second, however long they arrive', () => {
    const limit = new LogLimit();
    for (let at = 0; at < 10_000; at += 10) {
      limit.write('kind', entry('again'));
      time.advance(10);
    }
    time.advance(1_000);
    expect(written.length).toBeLessThanOrEqual(11);
    expect(written.reduce((sum, [, suppressed]) => sum + 1 + suppressed, 0)).toBe(1_000);
  });

  it('separates kinds, and drops a kind that has been silent for a second', () => {
    const limit = new LogLimit();
    limit.write('one', entry('a'));
    limit.write('other', entry('b'));
    time.advance(1_000);
    expect(time.timerCount).toBe(0);
    limit.write('one', entry('c'));
    expect(written.map(([name]) => name)).toEqual(['a', 'b', 'c']);
  });

  it('writes held entries when it is flushed, and nothing afterwards', () => {
    const limit = new LogLimit();
    for (const name of ['a', 'b', 'c']) limit.write('kind', entry(name));
    limit.flush();
    expect(written.at(-1)).toEqual(['c', 1]);
    expect(time.timerCount).toBe(0);
  });

  it('writes each entry in its own async context, whichever entry began the second', () => {
    const storage = new AsyncLocalStorage<string>();
    const contexts: unknown[] = [];
    const limit = new LogLimit();
    for (const context of ['a', 'b', 'c', 'd'])
      storage.run(context, () => limit.write('kind', () => void contexts.push(storage.getStore())));
    time.advance(1_000);
    storage.run('e', () => limit.write('kind', () => void contexts.push(storage.getStore())));
    storage.run('f', () => limit.flush());
    expect(contexts).toEqual(['a', 'd', 'e']);
  });

  it('loses an entry whose logger throws, and continues', () => {
    const limit = new LogLimit();
    const broken = (): never => {
      throw new Error('no disk');
    };
    for (let count = 0; count < 2; count++) limit.write('kind', broken);
    time.advance(1_000);
    limit.write('kind', broken);
    limit.flush();
    limit.write('kind', entry('again'));
    expect(written).toEqual([['again', 0]]);
  });
});
