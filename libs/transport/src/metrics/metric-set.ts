import { subscribe, unsubscribe } from 'node:diagnostics_channel';

import { Counter, Gauge, Histogram } from 'prom-client';
import type { CounterConfiguration, GaugeConfiguration, HistogramConfiguration, Registry } from 'prom-client';

/** Both ends: the values of the label `side`. */
export const SIDES = ['client', 'server'] as const;

/** Metrics in a registry and listeners of diagnostics channels, which end together. */
export class MetricSet {
  readonly #register: Registry;
  readonly #ends: (() => void)[] = [];

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

  /** Calls the listener with each message of a channel. It must not throw, because Node would end the process. */
  on<Message>(channel: string, listener: (message: Message) => void): void {
    const receive = (message: unknown): void => listener(message as Message);
    subscribe(channel, receive);
    this.#ends.push(() => unsubscribe(channel, receive));
  }

  /** Removes the listeners and the metrics. */
  end(): void {
    for (const end of this.#ends.splice(0)) end();
  }

  #add<Metric>({ name }: { readonly name: string }, metric: Metric): Metric {
    this.#ends.push(() => this.#register.removeSingleMetric(name));
    return metric;
  }
}
