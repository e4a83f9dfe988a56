import { Injectable } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import { collectMetrics } from '@sealwire/transport/metrics';
import { Registry } from 'prom-client';

/** The content type of {@link Metrics.read}. */
export const METRICS_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/** The metrics of this app, from its creation to its shutdown. */
@Injectable()
export class Metrics implements OnApplicationShutdown {
  readonly #register = new Registry();
  readonly #stop = collectMetrics({ register: this.#register });

  /** Returns the metrics in the text format of Prometheus. */
  read(): Promise<string> {
    return this.#register.metrics();
  }

  /** Returns the sums of a counter of the server side, by the values of a label. */
  async serverTotals(name: string, label: string): Promise<Readonly<Record<string, number>>> {
    const { values } = (await this.#register.getSingleMetric(name)?.get()) ?? { values: [] };
    const totals: Record<string, number> = Object.create(null) as Record<string, number>;
    for (const { value, labels } of values) {
      if (labels['side'] !== 'server') continue;
      const key = String(labels[label]);
      totals[key] = (totals[key] ?? 0) + value;
    }
    return totals;
  }

  onApplicationShutdown(): void {
    this.#stop();
  }
}
