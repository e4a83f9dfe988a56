import { lastValueFrom, map, NEVER, of, range, Subject, throwError } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { HttpFailure } from '../http/failure/http-failure.js';
import { beginWithin, completeWithin, toJsonArray } from './answer.js';

const deadline = expect.objectContaining({ code: 'ERR_DEADLINE' });

const anyNumber = (): void => undefined;

describe('an answer', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('fails if it is not complete in time, and stops the handler', async () => {
    const values = new Subject<number>();
    const failure = lastValueFrom(values.pipe(completeWithin(100))).catch((error: unknown) => error);
    values.next(1);
    await vi.advanceTimersByTimeAsync(100);
    expect(await failure).toEqual(deadline);
    expect(values.observed).toBe(false);
  });

  it('may arrive at any time before the deadline', async () => {
    expect(await lastValueFrom(of(1, 2).pipe(completeWithin(1)))).toBe(2);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('of a stream fails if it does not begin in time', async () => {
    const failure = lastValueFrom(NEVER.pipe(beginWithin(100))).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(100);
    expect(await failure).toEqual(deadline);
  });

  it('of a stream continues after the deadline once it has begun', async () => {
    const values = new Subject<number>();
    const last = lastValueFrom(values.pipe(beginWithin(100)));
    values.next(1);
    await vi.advanceTimersByTimeAsync(1_000);
    values.next(2);
    values.complete();
    expect(await last).toBe(2);
  });
});

describe('an answer with all values', () => {
  it('is one JSON array with bytes as base64', async () => {
    const values = of(1, 'a', null, undefined, { b: [2] }, Buffer.from('hi'));
    expect(await lastValueFrom(values.pipe(toJsonArray(anyNumber)))).toBe(
      '[1,"a",null,null,{"b":[2]},{"base64":"aGk="}]',
    );
  });

  it('is an empty array if there are no values', async () => {
    expect(await lastValueFrom(of().pipe(toJsonArray(anyNumber)))).toBe('[]');
  });

  it('is refused if it gets too large', async () => {
    const large = 'x'.repeat(1_024 * 1_024);
    const result = lastValueFrom(
      range(0, 100).pipe(
        map(() => large),
        toJsonArray(anyNumber),
      ),
    );
    await expect(result).rejects.toEqual(expect.objectContaining({ code: 'ERR_REPLY_TOO_LARGE' }));
  });

  it('fails if the handler fails', async () => {
    await expect(lastValueFrom(throwError(() => 'why').pipe(toJsonArray(anyNumber)))).rejects.toBe('why');
  });

  it('counts its values and fails if there are too many', async () => {
    let counted = 0;
    const hold = (bytes: number): void => {
      counted += bytes;
      if (counted > 1_000) throw new HttpFailure('ERR_BUSY', 'too many');
    };
    const values = range(0, 1_000_000);
    await expect(lastValueFrom(values.pipe(toJsonArray(hold)))).rejects.toMatchObject({ code: 'ERR_BUSY' });
    expect(counted).toBeLessThan(2_000);
  });
});
