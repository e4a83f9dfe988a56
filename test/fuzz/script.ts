/** An input read as a list of choices. At its end every choice is the first one. */
export class Script {
  readonly #input: Buffer;
  #at = 0;

  constructor(input: Buffer) {
    this.#input = input;
  }

  get isOver(): boolean {
    return this.#at >= this.#input.length;
  }

  byte(): number {
    const byte = this.#input[this.#at] ?? 0;
    this.#at += 1;
    return byte;
  }

  /** 0 to `limit` - 1, for limits up to 256. */
  below(limit: number): number {
    return this.byte() % limit;
  }

  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.below(choices.length)] ?? choices[0];
  }

  /** Up to `length` bytes of the input as they are. */
  bytes(length: number): Buffer {
    const bytes = this.#input.subarray(this.#at, this.#at + length);
    this.#at += length;
    return bytes;
  }
}
