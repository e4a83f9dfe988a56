import { MAX_WHOLE_BYTES } from '../frame/frame.js';
import { writePrefix } from '../frame/prefix.js';
import type { PrefixBytes } from '../frame/prefix.js';

/** A longer message is bulk: it waits for credit, and shorter ones may overtake it (docs/protocol.md §5.10). */
export const MAX_SMALL_BYTES = 16_384;
const NOTHING: Buffer = Buffer.alloc(0);

/** The head of a message, before its data (docs/protocol.md §6.2). */
export interface MessageHead {
  readonly prefixBytes: PrefixBytes;
  readonly bytes: Buffer;
}

export const NO_HEAD: MessageHead = { prefixBytes: 0, bytes: NOTHING };

/**
 * A message that waits to be sealed:   prefix ‖ head ‖ encoding ‖ text or bytes
 *
 * A text stays a string and is written straight into the record, without a buffer of its own.
 */
export class OutgoingMessage {
  static #count = 0;
  /** A number that rises with each message of the process, so that messages keep their order when they move. */
  readonly order = (OutgoingMessage.#count += 1);
  /** The length on the wire. */
  readonly bytes: number;
  /**
   * Whether a queue has accepted it. No other queue refuses it when it moves, because the total number of messages
   * stays the same.
   */
  hasPlace = false;
  /** The timeout of a request in milliseconds, or the sequence of an event. */
  prefix = 0;
  readonly #head: MessageHead;
  readonly #encoding: Buffer;
  /** A text that is ASCII, so that offsets in bytes and characters are equal, or that fits into one frame. */
  readonly #text: string;
  readonly #isAscii: boolean;
  readonly #data: Uint8Array;
  /** Everything before text or data, for a message of several frames, while it is being written. */
  #joinedHead: Buffer | undefined;

  /**
   * @param encoding - The byte of the encoding, and any other bytes before the content.
   * @param content - If it is a Uint8Array, the caller must not change it afterwards: it is read when the message is
   *   sealed.
   */
  constructor(encoding: Buffer, content: string | Uint8Array, head = NO_HEAD) {
    const isText = typeof content === 'string';
    const contentBytes = isText ? Buffer.byteLength(content) : content.byteLength;
    this.#head = head;
    this.#encoding = encoding;
    this.bytes = head.prefixBytes + head.bytes.length + encoding.length + contentBytes;
    this.#isAscii = contentBytes === content.length;
    const staysText = isText && (this.#isAscii || this.bytes <= MAX_WHOLE_BYTES);
    this.#text = staysText ? content : '';
    this.#data = staysText ? NOTHING : isText ? Buffer.from(content) : content;
  }

  get isBulk(): boolean {
    return this.bytes > MAX_SMALL_BYTES;
  }

  /** Whether it travels in one frame. */
  get isWhole(): boolean {
    return this.bytes <= MAX_WHOLE_BYTES;
  }

  /** Writes the whole message to `target`, which must have room for {@link bytes} from `at` on. */
  write(target: Buffer, at: number): void {
    const contentAt = this.#writeHead(target, at);
    if (this.#text.length > 0) target.write(this.#text, contentAt, this.#isAscii ? 'latin1' : 'utf8');
    else if (this.#data.length > 0) target.set(this.#data, contentAt);
  }

  /**
   * Writes the bytes from `from` to `to` of a message that does not fit into one frame. All pieces use the
   * same prefix. The prefix may change if the whole message is written again.
   */
  writePiece(target: Buffer, at: number, from: number, to: number): void {
    if (from === 0) this.#joinedHead = undefined;
    const head = (this.#joinedHead ??= this.#joinHead());
    const headBytes = from < head.length ? head.copy(target, at, from, to) : 0;
    const start = Math.max(0, from - head.length);
    const end = Math.max(0, to - head.length);
    if (this.#text.length > 0) target.write(this.#text.slice(start, end), at + headBytes, 'latin1');
    else target.set(this.#data.subarray(start, end), at + headBytes);
  }

  /** @returns The offset of the content. */
  #writeHead(target: Buffer, at: number): number {
    const { prefixBytes, bytes } = this.#head;
    let next = writePrefix(target, at, prefixBytes, this.prefix);
    if (bytes.length > 0) next += bytes.copy(target, next);
    if (this.#encoding.length > 1) return next + this.#encoding.copy(target, next);
    target[next] = this.#encoding[0] ?? 0;
    return next + 1;
  }

  #joinHead(): Buffer {
    const { prefixBytes, bytes } = this.#head;
    const joined = Buffer.alloc(prefixBytes + bytes.length + this.#encoding.length);
    this.#writeHead(joined, 0);
    return joined;
  }
}
