import { describe, expect, it } from 'vitest';

import { AwaitedAnswers } from './awaited-answers.js';

const place = (number: number, id = 'answer') => ({ id, number });

function awaiting(): AwaitedAnswers {
  const awaited = new AwaitedAnswers();
  awaited.add('request', 'key');
  return awaited;
}

describe('AwaitedAnswers', () => {
  it('takes the values of an answer in order, each once', () => {
    const awaited = awaiting();
    expect(awaited.take('request', 'key', place(0))).toBe('next');
    expect(awaited.take('request', 'key', place(0))).toBe('again');
    expect(awaited.take('request', 'key', place(1))).toBe('next');
  });

  it('notices a value that is missing', () => {
    expect(awaiting().take('request', 'key', place(1))).toBe('gap');
  });

  it('refuses a second answer to the same request', () => {
    const awaited = awaiting();
    awaited.take('request', 'key', place(0));
    expect(awaited.take('request', 'key', place(1, 'other'))).toBe('again');
  });

  it('refuses an answer under another key than that of the request', () => {
    expect(awaiting().take('request', 'other', place(0))).toBe('key');
  });

  it('does not know a request that has ended', () => {
    const awaited = awaiting();
    awaited.delete('request');
    expect(awaited.has('request')).toBe(false);
    expect(awaited.take('request', 'key', place(0))).toBe('unknown');
  });
});
