import { EnvelopeError } from '../errors.js';
import type { ReplayStore } from './replay-store.js';

/** A bucket of `@nats-io/kv`, or of `nats` 2. */
export interface NatsKv {
  /** Creates a key. Rejects if the key exists already. */
  create(key: string, value: Uint8Array): Promise<number>;
}

/** "wrong last sequence": the key exists. */
const KEY_EXISTS = 10_071;
const NO_BYTES = new Uint8Array(0);

/** Claims ids as keys of a NATS KV bucket, whose own TTL expires them. */
export class NatsReplayStore implements ReplayStore {
  readonly #bucket: NatsKv;

  /**
   * @param bucket - Created with a `ttl` of at least twice the `maxAgeMs` of the openers. Use one bucket for each group
   *   of processes that share the work, so that only one of them handles each message.
   */
  constructor(bucket: NatsKv) {
    this.#bucket = bucket;
  }

  /**
   * @param _ttlMs - Not used: the TTL is that of the bucket.
   * @throws {EnvelopeError} `ERR_ENVELOPE_STORE` - NATS failed; `cause` is its error.
   */
  async claim(id: string, _ttlMs: number): Promise<boolean> {
    try {
      await this.#bucket.create(id, NO_BYTES);
      return true;
    } catch (cause) {
      if (codeOf(cause) === KEY_EXISTS) return false;
      throw new EnvelopeError(
        'ERR_ENVELOPE_STORE',
        'The replay store failed: NATS did not confirm the claim of a message id',
        { cause },
      );
    }
  }
}

/** Returns `code` of an error of `@nats-io/kv`, or `api_error.err_code` of one of `nats` 2. */
function codeOf(error: unknown): unknown {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, api_error: apiError } = error as { code?: unknown; api_error?: { err_code?: unknown } };
  return apiError?.err_code ?? code;
}
