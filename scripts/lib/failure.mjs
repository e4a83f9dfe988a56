/** An error that the caller of the command can correct. Its message says what is wrong and what to do. */
export class Failure extends Error {
  name = 'Failure';
}

/** Returns a text of several lines as one line. @param {string} text */
export function oneLine(text) {
  return text.replaceAll(/\s*\n\s*/g, ' ').trim();
}
