import { hasMethod } from '@sealwire/channel/internal';

/** What values are pulled from. */
interface Puller {
  next(): Promise<IteratorResult<unknown>>;
  return?(): unknown;
}

interface Emitter {
  on(event: 'error', listener: (error: unknown) => void): unknown;
}

/** Who pulls from an emitter now. */
const pulling = new WeakMap<Emitter, Set<PullSource>>();

/** A source that gives values one by one and can be stopped from outside: a generator, a stream of Node, a web stream. */
export class PullSource {
  readonly #values: AsyncIterable<unknown>;
  readonly #failed: (error: unknown) => void;
  readonly #puller: Puller;
  /** Whether it owes a value: what it does until then cannot be ended. */
  isPulled = false;
  #isStopped = false;

  /** @param failed - Is called where the source fails by itself, be it before the first pull. */
  constructor(values: AsyncIterable<unknown>, failed: (error: unknown) => void) {
    this.#values = values;
    this.#failed = failed;
    if (isEmitter(values)) watch(values).add(this);
    this.#puller = isWebStream(values) ? readerOf(values) : values[Symbol.asyncIterator]();
  }

  /** The next value; rejects with what the source fails with. Nothing of it is asked for once it was stopped. */
  next(): Promise<IteratorResult<unknown>> {
    return this.#isStopped ? Promise.resolve({ done: true, value: undefined }) : this.#puller.next();
  }

  /**
   * Releases what the source holds: a stream at once, a generator when it comes to its next `yield`.
   * @throws Whatever a `destroy` or `return` of the user's throws.
   */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    if (isDestroyable(this.#values)) this.#values.destroy();
    // Nobody waits any more for what its clean-up fails with, nor need it be a promise.
    else void Promise.resolve(this.#puller.return?.()).catch(() => undefined);
  }

  /** It fails by itself. */
  fail(error: unknown): void {
    this.#failed(error);
  }

  /** Nothing is pulled from it any more. It may still fail, which harms nobody. */
  release(): void {
    if (isEmitter(this.#values)) pulling.get(this.#values)?.delete(this);
  }
}

export function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

/**
 * An 'error' without a listener ends the process, be it before the first pull or long after the last: each emitter gets
 * one listener, for as long as it lives.
 */
function watch(emitter: Emitter): Set<PullSource> {
  const known = pulling.get(emitter);
  if (known !== undefined) return known;
  const sources = new Set<PullSource>();
  pulling.set(emitter, sources);
  emitter.on('error', (error) => {
    for (const source of sources) source.fail(error);
  });
  return sources;
}

/** The iterator of a web stream cannot be stopped while a value is pending; its reader can. */
function readerOf(stream: WebStream): Puller {
  const reader = stream.getReader();
  return { next: () => reader.read(), return: () => reader.cancel() };
}

type WebStream = Pick<ReadableStream<unknown>, 'getReader'>;

function isWebStream(values: object): values is WebStream {
  return hasMethod(values, 'getReader');
}

function isEmitter(values: object): values is Emitter {
  return hasMethod(values, 'on');
}

/** A stream that waits for its source would not notice `return` before the source gives something. */
function isDestroyable(values: object): values is { destroy(): void } {
  return hasMethod(values, 'destroy');
}
