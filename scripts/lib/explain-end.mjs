/**
 * Why an app ended, in one line. Errors of handlers are in its log as well, so only what it printed last can be the reason,
 * and only if it was not ended by a signal from outside.
 *
 * @param {string} name
 * @param {string} how - `exit code 1`, or the signal
 * @param {readonly string[]} errors - The lines that it printed as errors; its log may hold the text of messages.
 * @returns {string}
 */
export function explainEnd(name, how, errors) {
  const lines = errors.filter((line) => line.trim() !== '' && !isWarning(line));
  const reason = uncaught(lines) ?? outOfMemory(lines);
  if (reason !== undefined) return `The ${name} app ended (${how}): ${reason}`;
  if (how !== 'exit code 1') return `The ${name} app ended (${how})`;
  // An app that cannot start says so in one line of its own.
  return lines.length === 1 ? lines[0] : `The ${name} app ended (${how})${lastHead(lines)}`;
}

const isWarning = (line) => /^\(node:\d+\) |^\(Use `node --trace/.test(line);

/** Node prints its version after the stack of what nobody caught. Causes in that stack are indented. */
function uncaught(lines) {
  if (!/^Node\.js v\d/.test(lines.at(-1) ?? '')) return undefined;
  return lines.slice(0, -1).findLast((line) => /^(?:Uncaught )?[\w$.]*(?:Error|Exception|Rejection)\b.*/.test(line));
}

/** V8 prints this, then an endless stack of its own. */
function outOfMemory(lines) {
  return lines.map((line) => /FATAL ERROR: .*/.exec(line)?.[0]).findLast((text) => text !== undefined);
}

/** The first line of the stack that was printed last. */
function lastHead(lines) {
  const head = lines.findLast((line) => /^[^\s}\]]/.test(line));
  return head === undefined ? '' : `: ${/\w*Error(?: \[\w+\])?: .*/.exec(head)?.[0] ?? head}`;
}
