import { inspect } from 'node:util';

import { describe, expect, it } from 'vitest';

import { FailureEntry, printable } from './failure-entry.js';

const refused = new FailureEntry('Refused 127.0.0.1:5', { kind: 'refused', address: '127.0.0.1:5' }, 3, undefined);
const LINE = 'Refused 127.0.0.1:5 (and 3 more of this kind before it)';

describe('an entry of the log', () => {
  it.each([
    ['text', () => inspect(refused)],
    ['text with colors over several lines', () => inspect(refused, { colors: true, compact: false })],
    ['a string', () => String(refused)],
    ['a message', () => refused.message],
  ])('is one line as %s', (_what, shown) => expect(shown()).toBe(LINE));

  it('consists of its line and its fields as JSON, and only its fields are enumerable', () => {
    const fields = { kind: 'refused', address: '127.0.0.1:5', suppressed: 3 };
    expect(JSON.parse(JSON.stringify(refused))).toEqual({ message: LINE, ...fields });
    expect(Object.fromEntries(Object.entries(refused))).toEqual(fields);
  });

  it('shows the origin of an error below its line, and no fake frames of its message', () => {
    const cause = new Error(`text\n[Nest] 1 - forged\n${'    at forged:1:1\n'.repeat(20)}`);
    const shown = inspect(new FailureEntry('Failed', { kind: 'hook' }, 0, cause));
    expect(shown).toMatch(/^Failed\n {4}at [^]*failure-entry\.spec\.ts/);
    expect(shown).not.toContain('[Nest]');
    expect(shown.split('\n').length).toBeLessThanOrEqual(11);
  });

  const FORGED = 'x\n    at FORGED (/srv/app/secret.js:1:1)';
  class Named extends Error {
    override readonly name = 'Renamed';
  }
  const stackOf = (cause: unknown): string => inspect(new FailureEntry('Failed', { kind: 'handler' }, 0, cause));

  it.each([
    ['an error', new Error(FORGED)],
    ['an error of a class', new Named(FORGED)],
    ['an error with a code', Object.assign(new TypeError(FORGED), { code: 'ERR_X' })],
  ])('shows the few frames of %s, and none that its message spells', (_which, cause) => {
    cause.stack = `${String(cause)}\n    at async real (file.js:1:1)\n    at async last (file.js:2:1)`;
    expect(stackOf(cause)).toBe('Failed\n    at async real (file.js:1:1)\n    at async last (file.js:2:1)');
  });

  it('shows the frames of a stack that was captured before the class had set its name', () => {
    const cause = new Named(FORGED);
    cause.stack = `Error: ${FORGED}\n    at async real (file.js:1:1)`;
    expect(stackOf(cause)).toBe('Failed\n    at async real (file.js:1:1)');
  });

  it('shows the short stack of an error thrown after an await in the format of V8', async () => {
    const handler = async (): Promise<never> => {
      await new Promise((resolve) => setImmediate(resolve));
      throw new Error(FORGED);
    };
    const shown = stackOf(await handler().catch((error: unknown) => error));
    expect(shown).toMatch(/^Failed\n {4}at .*failure-entry\.spec\.ts/);
    expect(shown).not.toContain('FORGED');
  });

  it.each([
    ['whose message was changed', (cause: Error) => Object.assign(cause, { message: 'y', stack: cause.stack })],
    ['whose stack is of another', (cause: Error) => Object.assign(cause, { stack: FORGED })],
    ['whose message throws', (cause: Error) => Object.defineProperty(cause, 'message', { get: () => expect.fail() })],
    ['whose stack throws', (cause: Error) => Object.defineProperty(cause, 'stack', { get: () => expect.fail() })],
    ['whose prototype throws', (cause: Error) => new Proxy(cause, { getPrototypeOf: () => expect.fail() })],
  ])('shows no frame of an error %s', (_which, change) => {
    const cause = new Error(FORGED);
    expect(cause.stack).toContain('FORGED');
    expect(stackOf(change(cause))).toBe('Failed');
  });
});

describe('untrusted text', () => {
  it.each([
    ['a\r\nb', String.raw`a\r\nb`],
    ['\u001b[31mred\u009b0m', String.raw`\u001b[31mred\u009b0m`],
    ['a\u2028b\u202ec\u200bd', String.raw`a\u2028b\u202ec\u200bd`],
    ['\ud800', String.raw`\ud800`],
    [String.raw`a\nb`, String.raw`a\\nb`],
    ['{"cmd":"größe 😀"}', '{"cmd":"größe 😀"}'],
  ])('becomes part of one line: %j', (text, shown) => expect(printable(text)).toBe(shown));

  it('is cut', () => expect(printable('x'.repeat(60_000))).toBe(`${'x'.repeat(500)}… (60000 characters)`));
});
