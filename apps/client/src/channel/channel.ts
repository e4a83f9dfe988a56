import type { BrokerClient } from './broker-client.js';
import type { DirectClient } from './direct-client.js';

/** Injection token of the {@link Channel}. */
export const CHANNEL = Symbol('CHANNEL');

/** The client that sends all messages: over connections of its own, or through a broker. */
export type Channel = DirectClient | BrokerClient;
