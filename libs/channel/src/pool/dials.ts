import { AsyncResource } from 'node:async_hooks';

import type { ServerConnector } from './connector/server-connector.js';
import type { ServerList } from './addresses/server-list.js';

/** The dials of one client, each of which has a number. */
export class Dials {
  readonly #servers: () => ServerList;
  /** Dials and their timers do not run in the async context of a call, because they would keep that context alive. */
  readonly #home = new AsyncResource('SEALWIRE_CLIENT');
  #count = 0;
  #stops = 0;
  #isDue = false;

  constructor(servers: () => ServerList) {
    this.#servers = servers;
  }

  /** The number of dials so far. */
  get count(): number {
    return this.#count;
  }

  /** Whether the next call dials a server whose pause is over. */
  get isDue(): boolean {
    return this.#isDue;
  }

  /** @returns The number of a dial that begins. */
  begin(): number {
    this.#servers().keepResolving();
    this.#count += 1;
    return this.#count;
  }

  start(connectors: readonly (ServerConnector | undefined)[]): void {
    const stops = this.#stops;
    for (const connector of connectors) {
      if (stops !== this.#stops) return; // by a listener of an event
      this.#home.runInAsyncScope(() => connector?.dial());
    }
  }

  /** Notes whether the client is connected, so that its next call dials servers in the background. */
  noteResting(isOpen: boolean): void {
    this.#isDue = isOpen && this.#resting.length > 0;
  }

  /** Dials servers whose pause is over. Not in the call itself, because listeners of events may close the client. */
  startDue(): void {
    this.#isDue = false;
    const stops = this.#stops;
    void Promise.resolve().then(() => {
      if (stops === this.#stops) this.start(this.#resting);
    });
  }

  /** Called when the client closes. */
  stop(): void {
    this.#stops += 1;
    this.#isDue = false;
  }

  get #resting(): readonly ServerConnector[] {
    return this.#servers().all.filter(({ at }) => at === 'IDLE');
  }
}
