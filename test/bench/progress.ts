import type { WriteStream } from 'node:tty';

const TO_START_OF_LINE_AND_CLEAR = '\r\u001B[K';

/** What a bench is doing, as one line of a terminal that the next one takes the place of. Anywhere else nothing is written. */
export class Progress {
  readonly #terminal: Pick<WriteStream, 'write'> | undefined;

  constructor(stream: Pick<WriteStream, 'write'> & { readonly isTTY?: boolean }) {
    this.#terminal = stream.isTTY === true ? stream : undefined;
  }

  show(step: string): void {
    this.#terminal?.write(TO_START_OF_LINE_AND_CLEAR + step);
  }

  /** Before other lines are written, which may go to the same terminal. */
  clear(): void {
    this.#terminal?.write(TO_START_OF_LINE_AND_CLEAR);
  }
}
