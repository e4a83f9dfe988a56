const ANSWER = /^# prints (.*)$/;
/** What a separator prints. */
export const SEPARATOR = '\u001E'; // record separator: nothing here prints it

/**
 * Replaces every comment with an answer by a command that prints a separator.
 *
 * @param {string} script
 * @returns {{ script: string, answers: readonly string[] }}
 */
export function markAnswers(script) {
  const answers = [];
  const lines = script.split('\n').map((line) => {
    const shown = ANSWER.exec(line)?.[1];
    if (shown === undefined) return line;
    answers.push(shown);
    return String.raw`printf '\036'`;
  });
  return { script: lines.join('\n'), answers };
}

/**
 * Returns the first difference between the shown answers and the output.
 *
 * @param {readonly string[]} printed - before each separator of {@link markAnswers}, and after the last
 * @param {readonly string[]} answers
 * @returns {string | undefined}
 */
export function findDifference(printed, answers) {
  for (const [index, text] of printed.entries()) {
    const shown = answers[index];
    if (shown === undefined) {
      if (/"statusCode":[45]/.test(text)) return `a call failed: ${text}`;
    } else if (!isAlike(parse(shown), parse(text))) {
      return `answered ${text.trim()} where the document shows ${shown.trim()}`;
    }
  }
  return answers.length > printed.length ? 'fewer answers than the document shows' : undefined;
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text.trim();
  }
}

/** Equal but for times and ids, which differ each time, and for the host name in `server`. */
function isAlike(shown, printed) {
  if (typeof shown === 'string' && typeof printed === 'string') return isAlikeText(shown, printed);
  if (typeof shown !== 'object' || shown === null) return shown === printed;
  if (typeof printed !== 'object' || printed === null) return false;
  const keys = Object.keys(shown);
  return (
    Array.isArray(shown) === Array.isArray(printed) &&
    keys.length === Object.keys(printed).length &&
    keys.every(
      (key) => Object.hasOwn(printed, key) && (isHostName(key, printed[key]) || isAlike(shown[key], printed[key])),
    )
  );
}

function isHostName(key, value) {
  return key === 'server' && typeof value === 'string' && /^[\w.-]+$/.test(value);
}

const CHANGING = [/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, /^[0-9a-f]{16}$/, /^127\.0\.0\.1:\d{4,5}$/];

function isAlikeText(shown, printed) {
  return shown === printed || CHANGING.some((form) => form.test(shown) && form.test(printed));
}
