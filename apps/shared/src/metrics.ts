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

  onApplicationShutdown(): void {
    this.#stop();
  }
}
