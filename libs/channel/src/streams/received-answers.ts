// The answers that the server sends to the streams of a client (docs/protocol.md §6.5, §6.6).
import type { TransportError } from '../errors.js';
import { endsStream } from '../frame/frame.js';
import type { Frame } from '../frame/frame.js';
import { unexpected } from '../frame/violation.js';
import { MessageAssembler, NO_MEMORY } from './assembler.js';
import type { ReceiverLimits } from './assembler.js';
import type { ClientStream, StreamHolder } from './client-stream.js';
import { IdTable } from './id-table.js';
import { noMemory } from './stream-failure.js';

/** The streams of the connection. */
export interface AnswersOwner extends StreamHolder {
  /** Called when the answer is complete: ends the stream and frees its slot. */
  endStream(stream: ClientStream): void;
}

/** The sealed streams of a client, by id, and the parts of their answers that have arrived. */
export class ReceivedAnswers {
  readonly #owner: AnswersOwner;
  readonly #assembler: MessageAssembler;
  readonly #open = new IdTable<ClientStream>();
  #endOfSeries: (() => TransportError) | undefined;

  /** @param own - The limits that this side has announced. */
  constructor(own: ReceiverLimits, owner: AnswersOwner) {
    this.#assembler = new MessageAssembler(own);
    this.#owner = owner;
  }

  get hasIncomplete(): boolean {
    return this.#assembler.hasIncomplete;
  }

  get stalestProgressMs(): number | undefined {
    return this.#assembler.stalestProgressMs;
  }

  /** Returns the streams in the order of their ids. */
  streams(): ClientStream[] {
    return this.#open.entries().map(([, stream]) => stream);
  }

  /** Adds a stream whose first frame was sealed. */
  add(stream: ClientStream): void {
    this.#open.set(stream.id, stream);
  }

  /** Drops what has arrived. The end of the answer is still awaited. */
  discard(stream: ClientStream): void {
    this.#assembler.discard(stream.id);
  }

  /** Removes a stream. Further frames of it are ignored. */
  remove(stream: ClientStream): void {
    this.#assembler.drop(stream.id);
    this.#open.delete(stream.id);
  }

  /**
   * Ends all answers of several values, because such an answer may otherwise never end. An open answer that is not one
   * yet ends when a value arrives that is not its last one.
   */
  endSeries(reason: () => TransportError): void {
    this.#endOfSeries = reason;
    for (const stream of this.streams()) this.#endIfSeries(stream);
  }

  /**
   * @param nextId - The id of the next stream that this side opens.
   * @throws {TransportError} A violation, which ends the connection.
   */
  receive(frame: Frame, nextId: number, nowMs: number): void {
    const { kind } = frame;
    switch (kind) {
      case 'REQUEST':
      case 'EVENT':
      case 'CANCEL':
        throw unexpected(`the server sent ${kind}, which only a client may send`);
      case 'NEXT':
      case 'ERROR': {
        const stream = this.#streamOf(frame, nextId);
        if (stream !== undefined) this.#receiveData(stream, frame, nowMs);
        return;
      }
      case 'COMPLETE':
      case 'ACK': {
        const stream = this.#streamOf(frame, nextId);
        if (stream !== undefined) this.#complete(stream, kind);
        return;
      }
    }
  }

  /** Returns the stream that the frame answers; undefined if it has ended, because the frame crossed its end. */
  #streamOf({ kind, stream: id }: Frame, nextId: number): ClientStream | undefined {
    if (id >= nextId) throw unexpected(`${kind} refers to a stream that was never opened`);
    const stream = this.#open.get(id);
    if (stream !== undefined && kind !== 'ERROR' && (kind === 'ACK') !== (stream.kind === 'EVENT'))
      throw unexpected(`the server answered ${stream.kind} with ${kind}`);
    return stream;
  }

  #complete(stream: ClientStream, kind: 'COMPLETE' | 'ACK'): void {
    if (this.#assembler.isIncomplete(stream.id)) throw unexpected(`${kind} arrived in the middle of a message`);
    const isWanted = stream.at === 'SEALED';
    this.#owner.endStream(stream);
    if (isWanted) stream.sink.complete();
  }

  #receiveData(stream: ClientStream, frame: Frame, nowMs: number): void {
    const isWanted = stream.at === 'SEALED';
    if (frame.kind === 'ERROR') this.#assembler.dropOther(stream.id, 'ERROR');
    const data = this.#assembler.push(frame, nowMs);
    if (!isWanted) this.#assembler.discard(stream.id); // cancelled: only the end of the answer matters
    if (endsStream(frame)) this.#owner.endStream(stream);
    if (data === undefined || !isWanted) return;
    if (data === NO_MEMORY) {
      this.#owner.cancel(stream);
      stream.sink.fail(noMemory());
      return;
    }
    stream.isSeries = !frame.last;
    if (frame.kind === 'ERROR') stream.sink.error(data);
    else stream.sink.next(data, frame.last);
    this.#endIfSeries(stream);
  }

  #endIfSeries(stream: ClientStream): void {
    if (this.#endOfSeries === undefined || !stream.isSeries || stream.at !== 'SEALED') return;
    this.#owner.cancel(stream);
    stream.sink.fail(this.#endOfSeries().ofMessage(true));
  }
}
