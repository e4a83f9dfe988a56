import type { LoggerService } from '@nestjs/common';
import type { ServerLink } from '@sealwire/channel';

import { everySecond } from '../every-second.js';
import type { Execution } from '../handler/execution.js';
import { count, printable } from '../log/failure-entry.js';
import { writeOrLose } from '../log/log-limit.js';
import type { LazyDispatcher } from './lazy-dispatcher.js';

const MAX_PATTERNS = 5;

type Link = ServerLink<LazyDispatcher>;

/**
 * The drain of the connections that were open when a server was closed. Every second it ends the answers of many values,
 * which may never end, and logs the requests that it waits for.
 */
export class ServerDrain {
  readonly #logger: () => LoggerService;
  /** The connections that have not ended. */
  readonly #links = new Set<Link>();
  /** The handlers that await the drain. The drain must not wait for them. */
  readonly #closers = new Set<Execution>();
  readonly #resolve: (() => void)[] = [];
  #stopTicking: (() => void) | undefined;

  constructor(logger: () => LoggerService) {
    this.#logger = logger;
  }

  begin(links: Iterable<Link>): void {
    for (const link of links) this.#links.add(link);
    if (this.#links.size === 0) return;
    this.#stopTicking ??= everySecond(() => {
      for (const { handler } of this.#links) handler.endSeries();
      this.#resolveIfDone();
      writeOrLose(() => this.#logger().log(this.#describe()));
    });
  }

  linkClosed(link: Link): void {
    if (!this.#links.delete(link)) return;
    if (this.#links.size === 0) {
      this.#stopTicking?.();
      this.#stopTicking = undefined;
    }
    this.#resolveIfDone();
  }

  /** Resolves when only the requests of handlers that await the drain are left. */
  whenOthersAreDone(closer: Execution): Promise<void> {
    this.#closers.add(closer);
    return new Promise((resolve) => {
      this.#resolve.push(resolve);
      this.#resolveIfDone();
    });
  }

  #resolveIfDone(): void {
    for (const { handler } of this.#links) if (!handler.runsOnly(this.#closers)) return;
    this.#closers.clear();
    for (const resolve of this.#resolve.splice(0)) resolve();
  }

  #describe(): string {
    const patterns = [...this.#links].flatMap(({ handler }) => handler.runningRequests);
    const connections = count(this.#links.size, 'connection');
    if (patterns.length === 0)
      return `Closing: ${connections} ${this.#links.size === 1 ? 'is' : 'are'} still open, but no handler is running`;
    const names = [...new Set(patterns)].map(printable);
    const more = names.length > MAX_PATTERNS ? ', …' : '';
    const shown = names.slice(0, MAX_PATTERNS).join(', ') + more;
    return `Closing: waiting for ${count(patterns.length, 'request')} on ${connections}: ${shown}`;
  }
}
