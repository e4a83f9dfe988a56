import { randomUUID } from 'node:crypto';

import { Controller, Inject } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import { Metrics } from '@sealwire/app';

/** The counters of this process since its start. */
interface Counters {
  /** A name of this process, because several servers may share a queue of a broker. */
  readonly process: string;
  /** Calls that have ended, by pattern. */
  readonly handled: Readonly<Record<string, number>>;
  /** Connections that have failed and messages of a broker that were refused, by the code or the reason. */
  readonly failures: Readonly<Record<string, number>>;
}

/** `counters`: how many calls this process has handled, and what it has refused. The attacks of the console page show it. */
@Controller()
export class CountersController {
  readonly #process = randomUUID();

  constructor(@Inject(Metrics) private readonly metrics: Metrics) {}

  @MessagePattern('counters')
  async counters(): Promise<Counters> {
    const [handled, { ok: _closed, ...failed }, refused] = await Promise.all([
      this.metrics.serverTotals('sealwire_calls_total', 'pattern'),
      this.metrics.serverTotals('sealwire_connections_closed_total', 'outcome'),
      this.metrics.serverTotals('sealwire_broker_messages_refused_total', 'reason'),
    ]);
    return { process: this.#process, handled, failures: { ...failed, ...refused } };
  }
}
