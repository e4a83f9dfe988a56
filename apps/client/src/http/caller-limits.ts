import type { ServerResponse } from 'node:http';

import { Injectable } from '@nestjs/common';

import { callerOf } from './caller.js';
import { HttpFailure } from './failure/http-failure.js';
import { whenClosed } from './in-flight.js';
import { Quota } from './quota.js';

const MIB = 1_024 * 1_024;

/**
 * The limits of all callers together and of each caller, so that one caller cannot use up the capacity. The limits of calls
 * and streams add up to the handlers that the server runs on one connection. Streams, which may never end, get a quarter.
 */
export const CALLER_BOUNDS = {
  calls: { all: 768, each: 512 },
  streams: { all: 256, each: 128 },
  bytes: { all: 192 * MIB, each: 64 * MIB },
} as const;

type Place = 'calls' | 'streams';

interface Holder {
  readonly caller: string;
  bytes: number;
  isClosed: boolean;
}

@Injectable()
export class CallerLimits {
  readonly #places = { calls: new Quota(CALLER_BOUNDS.calls), streams: new Quota(CALLER_BOUNDS.streams) };
  readonly #bytes = new Quota(CALLER_BOUNDS.bytes);
  readonly #holders = new WeakMap<ServerResponse, Holder>();

  /** Runs a call within the limits. @throws {HttpFailure} `ERR_BUSY` if a limit is reached. */
  async inPlace<T>(place: Place, response: ServerResponse, run: () => Promise<T>): Promise<T> {
    const { caller } = this.#holderOf(response);
    if (!this.#places[place].take(caller, 1)) {
      throw new HttpFailure(
        'ERR_BUSY',
        `Too many concurrent ${place}: ${describe(CALLER_BOUNDS[place])}; try again later`,
      );
    }
    try {
      return await run();
    } finally {
      this.#places[place].giveBack(caller, 1);
    }
  }

  /** Counts bytes of a call until they are released, or its response is closed. Returns whether there was room. */
  hold(response: ServerResponse, bytes: number): boolean {
    const holder = this.#holderOf(response);
    if (holder.isClosed) return true; // the work for it is about to stop
    if (!this.#bytes.take(holder.caller, bytes)) return false;
    holder.bytes += bytes;
    return true;
  }

  release(response: ServerResponse, bytes: number): void {
    const holder = this.#holderOf(response);
    if (holder.isClosed) return;
    holder.bytes -= bytes;
    this.#bytes.giveBack(holder.caller, bytes);
  }

  /** Counts bytes of an answer like `hold`. @throws {HttpFailure} `ERR_BUSY`, `sent: true`, because the handler has run. */
  holdAnswer(response: ServerResponse, bytes: number): void {
    if (this.hold(response, bytes)) return;
    throw new HttpFailure(
      'ERR_BUSY',
      'The answer was discarded, because too many answers have not been read by their callers; the handler has run',
      {
        sent: true,
      },
    );
  }

  #holderOf(response: ServerResponse): Holder {
    const known = this.#holders.get(response);
    if (known !== undefined) return known;
    const holder = { caller: callerOf(response.req), bytes: 0, isClosed: false };
    this.#holders.set(response, holder);
    void whenClosed(response).then(() => {
      holder.isClosed = true;
      this.#bytes.giveBack(holder.caller, holder.bytes);
    });
    return holder;
  }
}

function describe({ all, each }: { readonly all: number; readonly each: number }): string {
  return `at most ${each} from one caller and ${all} in total`;
}
