import { Counter, Gauge, Histogram } from 'prom-client';
import type { CounterConfiguration, GaugeConfiguration, HistogramConfiguration, Registry } from 'prom-client';

import { Subscriptions } from '../subscriptions.js';

/** Metrics in a registry and listeners of diagnostics channels, which end together. */
export class MetricSet {
  readonly #register: Registry;
  readonly #subscriptions = new Subscriptions();
  readonly #names: string[] = [];

  constructor(register: Registry) {
    this.#register = register;
  }

  counter<Label extends string>(configuration: CounterConfiguration<Label>): Counter<Label> {
    return this.#add(configuration, new Counter({ ...configuration, registers: [this.#register] }));
  }

  gauge<Label extends string>(configuration: GaugeConfiguration<Label>): Gauge<Label> {
    return this.#add(configuration, new Gauge({ ...configuration, registers: [this.#register] }));
  }

  histogram<Label extends string>(configuration: HistogramConfiguration<Label>): Histogram<Label> {
    return this.#add(configuration, new Histogram({ ...configuration, registers: [this.#register] }));
  }

  /** Adds a listener, as {@link Subscriptions.on} does. */
  on<Message>(channel: string, listener: (message: Message) => void): void {
    this.#subscriptions.on(channel, listener);
  }

  /** Removes the listeners and the metrics. */
  end(): void {
    this.#subscriptions.end();
    for (const name of this.#names) this.#register.removeSingleMetric(name);
  }

  #add<Metric>({ name }: { readonly name: string }, metric: Metric): Metric {
    this.#names.push(name);
    return metric;
  }
}
