// The steps of a document, in order:
//
//   ```sh blocks                                            are commands; `# prints …` below one is what it prints
//   ```json right after commands                            is what they print
//   a paragraph that ends with "`a/path.ts`:" and a block   is a file to write
//   "Add `X` to the `controllers` in `a/path.ts`"           is an edit of a Nest module
//   <!-- ready: TEXT --> before commands                    they run until Ctrl-C, and are ready once they print TEXT
//   ```text and ```diff blocks                              are only shown
import { Failure } from '../../scripts/lib/failure.mjs';

/**
 * @typedef {{ kind: 'commands', line: number, section: string, script: string, ready?: string, answer?: string }
 *   | { kind: 'file', line: number, section: string, path: string, text: string }
 *   | { kind: 'addition', line: number, section: string, name: string, list: string, path: string }} Step
 */

const SHOWN_ONLY = new Set(['text', 'diff']);
const FENCE = /^```(\w*)$/;
const HEADING = /^#+ (.*)$/;
const READY = /^<!-- ready: (.+) -->$/;
const NAMES_A_FILE = /`([\w./-]+\.(?:ts|mjs|json|ya?ml))`[^`]*:$/;
const ADDITION = /Add `(\w+)` to the `(\w+)` in `([\w./-]+)`/g;

/**
 * @param {string} text - Markdown
 * @param {string} name - of the document, for a failure
 * @returns {readonly Step[]}
 */
export function readSteps(text, name) {
  /** @type {Step[]} */
  const steps = [];
  let section = '';
  let before = '';
  for (const { line, language, content } of blocksOf(text)) {
    const place = { line, section };
    const heading = HEADING.exec(content);
    if (language === undefined && heading !== null) section = heading[1];
    if (language === undefined) addAdditions(steps, place, content);
    else addBlock(steps, { ...place, language, content, before, name });
    before = content;
  }
  return steps;
}

function addBlock(steps, { language, content, before, name, ...place }) {
  const path = NAMES_A_FILE.exec(before)?.[1];
  if (language === 'sh') {
    steps.push({ kind: 'commands', ...place, script: content, ready: READY.exec(before)?.[1] });
  } else if (path !== undefined) {
    steps.push({ kind: 'file', ...place, path, text: `${content}\n` });
  } else if (language === 'json' && steps.at(-1)?.kind === 'commands') {
    steps.at(-1).answer = content;
  } else if (!SHOWN_ONLY.has(language)) {
    throw new Failure(`${name}:${place.line}: the text before this block does not end with the path of its file.`);
  }
}

function addAdditions(steps, place, paragraph) {
  for (const [, name, list, path] of paragraph.matchAll(ADDITION))
    steps.push({ kind: 'addition', ...place, name, list, path });
}

/** Paragraphs, each in one line and without a language, and the blocks between fences. */
function* blocksOf(text) {
  let block;
  for (const [index, line] of [...text.split('\n'), ''].entries()) {
    const fence = FENCE.exec(line);
    const isCode = block?.language !== undefined;
    if (isCode ? fence !== null : fence !== null || line === '') {
      if (block !== undefined) yield { ...block, content: block.lines.join(isCode ? '\n' : ' ') };
      block = fence !== null && !isCode ? { line: index + 1, language: fence[1], lines: [] } : undefined;
    } else {
      block ??= { line: index + 1, language: undefined, lines: [] };
      block.lines.push(line);
    }
  }
}
