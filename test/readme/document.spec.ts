// How `npm run test:readme` reads a document, and when it finds a difference.
import { describe, expect, it } from 'vitest';

// Plain JavaScript, as the other scripts are: the compiler knows no types of it.
const load = (file: string) => import(String(new URL(file, import.meta.url)));
const { readSteps } = await load('./document.mjs');
const { findDifference, markAnswers } = await load('./answers.mjs');

const DOCUMENT = `# Title

## First

Do this:

<!-- ready: up and running -->

\`\`\`sh
npm start
# prints 1
\`\`\`

This is \`a/b.ts\`:

\`\`\`ts
export class B {}

export const c = 1;
\`\`\`

Add \`B\` to the
\`controllers\` in \`a/m.ts\`, then
call:

\`\`\`sh
curl x
\`\`\`

It answers

\`\`\`json
{ "a": 1 }
\`\`\`

\`\`\`text
a picture
\`\`\`

\`\`\`diff
-old
+new
\`\`\`
`;

describe('readSteps', () => {
  it('returns the commands, files and edits of a document in order, without blocks that are only shown', () => {
    const section = 'First';
    expect(readSteps(DOCUMENT, 'A.md')).toEqual([
      { kind: 'commands', line: 9, section, script: 'npm start\n# prints 1', ready: 'up and running' },
      { kind: 'file', line: 16, section, path: 'a/b.ts', text: 'export class B {}\n\nexport const c = 1;\n' },
      { kind: 'addition', line: 22, section, name: 'B', list: 'controllers', path: 'a/m.ts' },
      { kind: 'commands', line: 26, section, script: 'curl x', ready: undefined, answer: '{ "a": 1 }' },
    ]);
  });

  it('throws on a code block without the path of its file', () => {
    expect(() => readSteps('Like this:\n\n```ts\nconst a = 1;\n```\n', 'A.md')).toThrow(
      /^A\.md:3: the text before this block does not end with the path of its file\.$/,
    );
  });
});

describe('markAnswers', () => {
  it('replaces each answer by a separator, and keeps other comments', () => {
    expect(markAnswers('curl a\n# prints 1\n# a comment\ncurl b\n# prints "x"')).toEqual({
      script: "curl a\nprintf '\\036'\n# a comment\ncurl b\nprintf '\\036'",
      answers: ['1', '"x"'],
    });
  });
});

describe('findDifference', () => {
  it.each([
    ['6', '6\n'],
    ['olleH', 'olleH'],
    ['[1,"two",{"three":3}]', '[1, "two", {"three": 3}]'],
    [
      '{"at":"2026-11-24T09:30:00.000Z","id":"5066480872c75456"}',
      '{"id":"0123456789abcdef","at":"1999-01-01T00:00:00.000Z"}',
    ],
  ])('accepts for %s the output %j', (shown, printed) => {
    expect(findDifference([printed, ''], [shown])).toBeUndefined();
  });

  it.each([
    ['6', '7'],
    ['6', '"6"'],
    ['[1]', '[1,2]'],
    ['{"a":1}', '{"a":1,"b":2}'],
    ['{"a":1}', '{"b":1}'],
    ['{"a":[1]}', '{"a":{"0":1}}'],
    ['{"a":{}}', '{"a":null}'],
    ['{"at":"2026-11-24T09:30:00.000Z"}', '{"at":"yesterday"}'],
    ['olleH', ''],
  ])('refuses for %s the output %s', (shown, printed) => {
    expect(findDifference([printed, ''], [shown])).toBe(`answered ${printed} where the document shows ${shown}`);
  });

  it('refuses a failed call that the document does not show', () => {
    expect(findDifference(['{"statusCode":404,"code":"ERR_NO_HANDLER"}'], [])).toMatch(/^a call failed: /);
  });
});
