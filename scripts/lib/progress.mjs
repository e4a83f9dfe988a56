const AFTER_MS = 1000;
const TO_START_OF_LINE_AND_CLEAR = '\r\u001B[K';

/**
 * The line of a terminal that shows the current step of a command; the next step replaces it. It appears if the command
 * takes longer than a second. If there is no terminal, nothing is written.
 */
export class Progress {
  /** @readonly */
  #terminal;
  #step = '';
  #isVisible = false;

  /** @param stream - Standard error, because the results of a command may be redirected. */
  constructor(stream = process.stderr, afterMs = AFTER_MS) {
    this.#terminal = stream.isTTY ? stream : undefined;
    if (this.#terminal === undefined) return;
    const appear = () => {
      this.#isVisible = true;
      if (this.#step !== '') this.#write(this.#step);
    };
    setTimeout(appear, afterMs).unref();
  }

  /** Shows a step. @param {string} step - Cut to the width of the terminal. */
  show(step) {
    this.#step = step;
    if (this.#isVisible) this.#write(step);
  }

  /** Removes the line, as before other lines that may go to the same terminal. */
  clear() {
    this.#step = '';
    if (this.#isVisible) this.#write('');
  }

  #write(text) {
    const width = (this.#terminal.columns ?? 80) - 1;
    this.#terminal.write(TO_START_OF_LINE_AND_CLEAR + text.slice(0, width));
  }
}
