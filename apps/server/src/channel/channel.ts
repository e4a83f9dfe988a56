import type { INestMicroservice } from '@nestjs/common';
import type { SealedNatsServer } from '@sealwire/brokers';
import type { SealwireServer } from '@sealwire/transport';

/** Injection token of the {@link Channel}. */
export const CHANNEL = Symbol('CHANNEL');

/** The way on which messages reach this server: connections of its own, or a broker. */
export interface Channel {
  readonly strategy: SealwireServer | SealedNatsServer;
  /** Whether messages can arrive now. */
  readonly isUp: boolean;
  /** Where messages arrive, for the log. */
  readonly address: string;
  /** Rejects with a `StartError` that names the setting at fault. */
  listen(service: INestMicroservice): Promise<void>;
}
