import { hasMethod } from '@sealwire/channel/internal';

/** The iterator or reader that values are pulled from. */
interface Puller {
  next(): Promise<IteratorResult<unknown>>;
  return?(): unknown;
}

interface Emitter {
  on(event: 'error', listener: (error: unknown) => void): unknown;
}

/** The sources that currently pull from each emitter. */
const pulling = new WeakMap<Emitter, Set<PullSource>>();

/** A source of values that can be stopped from outside: a generator, a Node stream or a web stream. */
export class PullSource {
  readonly #values: AsyncIterable<unknown>;
  readonly #onFailure: (error: unknown) => void;
  readonly #puller: Puller;
  /** The values, if they are an emitter. Asked once, because user code answers. */
  readonly #emitter: Emitter | undefined;
  /** Whether a `next` is pending, which cannot be interrupted. */
  isPulled = false;
  #isStopped = false;

  /** @param onFailure - Called when the source emits an error, even before the first pull. */
  constructor(values: AsyncIterable<unknown>, onFailure: (error: unknown) => void) {
    this.#values = values;
    this.#onFailure = onFailure;
    this.#emitter = isEmitter(values) ? values : undefined;
    if (this.#emitter !== undefined) watch(this.#emitter).add(this);
    this.#puller = isWebStream(values) ? readerOf(values) : values[Symbol.asyncIterator]();
  }

  /** Returns the next value; rejects if the source fails. A stopped source is no longer called and is done. */
  next(): Promise<IteratorResult<unknown>> {
    return this.#isStopped ? Promise.resolve({ done: true, value: undefined }) : this.#puller.next();
  }

  /**
   * Stops the source: a stream immediately, a generator at its next `yield`.
   * @throws The error that a `destroy` or `return` of the user throws.
   */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    if (isDestroyable(this.#values)) this.#values.destroy();
    // The failure of the clean-up is ignored: the answer is over. `return` may give a plain value.
    else void Promise.resolve(this.#puller.return?.()).catch(() => undefined);
  }

  /** Reports an error that the emitter emitted. */
  fail(error: unknown): void {
    this.#onFailure(error);
  }

  /** Ends the pulling. Later errors of the emitter are ignored. */
  release(): void {
    if (this.#emitter !== undefined) pulling.get(this.#emitter)?.delete(this);
  }
}

/** Returns false for a proxy that throws: it is one value, which cannot be sent. */
export function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  try {
    return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
  } catch {
    return false;
  }
}

/**
 * Adds one 'error' listener to an emitter for as long as it lives. An 'error' without a listener would end the process,
 * whether before the first pull or long after the last.
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

/** Returns the reader of a web stream, because its iterator cannot be stopped while a value is pending. */
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

/**
 * Returns whether the values are a Node stream. Its iterator's `return` waits for the next chunk, so it is destroyed
 * instead.
 */
function isDestroyable(values: object): values is { destroy(): void } {
  return hasMethod(values, 'destroy');
}
