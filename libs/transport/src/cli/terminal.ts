import { createInterface } from 'node:readline';
import { styleText } from 'node:util';

import { escapeOf } from '../escape.js';
import { UsageError } from './failure.js';
import type { Environment } from './input.js';

type Style = Parameters<typeof styleText>[0];

export interface Streams {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly stderr: NodeJS.WritableStream;
}

/** The terminal or the pipes of the command. */
export class Terminal {
  readonly #streams: Streams;
  readonly #hasColors: boolean;

  constructor(streams: Streams, environment: Environment) {
    this.#streams = streams;
    const { NO_COLOR = '', TERM } = environment;
    this.#hasColors = streams.stdout.isTTY === true && NO_COLOR === '' && TERM !== 'dumb';
  }

  /** Prints a line on standard output. */
  print(line: string): void {
    this.#streams.stdout.write(`${line}\n`);
  }

  /** Prints a line on standard error. */
  warn(line: string): void {
    this.#streams.stderr.write(`sealwire: ${printable(line)}\n`);
  }

  /** Returns a text with a style, if standard output is a terminal that shows colors. */
  style(style: Style, text: string): string {
    return this.#hasColors ? styleText(style, text, { validateStream: false }) : text;
  }

  /**
   * Asks a question with the answer yes or no.
   *
   * @throws {UsageError} Standard input is not a terminal.
   */
  async confirm(question: string): Promise<boolean> {
    const { stdin, stderr } = this.#streams;
    if (stdin.isTTY !== true) {
      const message = `${printable(question)} Cannot ask for confirmation: standard input is not a terminal. Repeat the command with --yes`;
      throw new UsageError(message);
    }
    const lines = createInterface({ input: stdin, output: stderr, terminal: false }); // so that Ctrl-C ends the process
    try {
      stderr.write(`${printable(question)} Continue? [y/N] `);
      const answer = await new Promise<string>((resolve) => {
        lines.once('line', resolve).once('close', () => resolve(''));
      });
      return /^y(?:es)?$/i.test(answer.trim());
    } finally {
      lines.close();
    }
  }

  /** Reads standard input to its end. */
  async readAll(maxBytes: number): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of this.#streams.stdin) {
      const part = Buffer.from(chunk);
      bytes += part.length;
      if (bytes > maxBytes) throw new UsageError(`Standard input is too long; expected at most ${maxBytes} bytes`);
      chunks.push(part);
    }
    return Buffer.concat(chunks);
  }
}

// Control characters, characters that reorder or break lines, and lone surrogates.
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Escapes the characters of a line that could control the terminal or reorder it, as JSON does, so that JSON stays JSON. */
export function printable(line: string): string {
  return line.replaceAll('\n', ' ').replaceAll(UNPRINTABLE, escapeOf);
}

/** Returns rows as lines with aligned columns. @param style - Of a cell, after it was aligned. */
export function formatTable(
  rows: readonly (readonly string[])[],
  style: (cell: string, row: number, column: number) => string = (cell) => cell,
): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row, at) =>
    row.map((cell, column) => {
      const isLast = column === row.length - 1;
      return style(isLast ? cell : cell.padEnd(widths[column] ?? 0), at, column);
    }),
  );
  return lines.map((cells) => cells.join('  ').trimEnd()).join('\n');
}
