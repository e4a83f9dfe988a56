import { describe, expect, it } from 'vitest';

import { printable } from './printable.js';

describe('a text in the log', () => {
  it.each(['Hello Server!', '', 'Grüße, 世界 🎉', '{"a":1}'])('is printed unchanged: %s', (text) =>
    expect(printable(text)).toBe(text),
  );

  it.each([
    ['a\nLOG forged', 'a\\u000aLOG forged'],
    ['\u001b[2Jgone', '\\u001b[2Jgone'],
    ['\r\t\u0000\u007f\u009b', '\\u000d\\u0009\\u0000\\u007f\\u009b'],
    ['\u202etxt.exe\u2066\u2028', '\\u202etxt.exe\\u2066\\u2028'],
  ])('cannot forge a line or control a terminal: %j', (text, shown) => expect(printable(text)).toBe(shown));

  it('remains the same JSON', () => {
    const text = 'a "quote"\n\u009b\u202e\u2028\u{e0001}🎉';
    const shown = printable(JSON.stringify(text));
    expect(shown).toMatch(/^[ -~]+🎉"$/u);
    expect(JSON.parse(shown)).toBe(text);
  });

  it('is cut if it is long, with its length', () => {
    expect(printable('x'.repeat(5_000))).toBe(`${'x'.repeat(1_000)}… (5000 characters)`);
  });
});
