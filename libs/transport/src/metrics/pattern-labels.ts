const OTHER = 'other';
const MAX_CHARACTERS = 128;

/** The values of the label `pattern`: a bounded number, because each one is a time series until the process ends. */
export class PatternLabels {
  readonly #max: number;
  readonly #known = new Set<string>();

  constructor(max: number) {
    this.#max = max;
  }

  /** @param mayAdd - Whether a pattern that has no value yet gets one, if there is room. */
  labelOf(pattern: string | undefined, mayAdd: boolean): string {
    if (pattern === undefined || pattern.length > MAX_CHARACTERS) return OTHER;
    if (this.#known.has(pattern)) return pattern;
    if (!mayAdd || this.#known.size >= this.#max) return OTHER;
    this.#known.add(pattern);
    return pattern;
  }
}
