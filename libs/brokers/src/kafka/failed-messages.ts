import type { KafkaDelivery } from './kafka-library.js';

type Place = Pick<KafkaDelivery, 'topic' | 'partition'> & { readonly message: { readonly offset: string } };
/** Passes an opened message to Nest. */
export type Handle = (delivery: KafkaDelivery) => Promise<unknown>;

interface Failed {
  readonly offset: string;
  readonly handle: Handle;
}

/**
 * The opened messages whose handlers have failed. `kafkajs` delivers each of them again before the next one of its
 * partition, which does not count as a replay.
 */
export class FailedMessages {
  /** The last one of each partition. */
  readonly #failed = new Map<string, Failed>();

  add(place: Place, handle: Handle): void {
    this.#failed.set(partitionOf(place), { offset: place.message.offset, handle });
  }

  /** Returns how a message is handled whose handler has failed before, and forgets the failed one of its partition. */
  take(place: Place): Handle | undefined {
    const partition = partitionOf(place);
    const failed = this.#failed.get(partition);
    this.#failed.delete(partition);
    return failed?.offset === place.message.offset ? failed.handle : undefined;
  }
}

function partitionOf({ topic, partition }: Place): string {
  return `${partition}/${topic}`;
}
