// The channel of node:diagnostics_channel for refused messages (docs/brokers.md). Without a subscriber it costs nothing.
import { channel } from 'node:diagnostics_channel';

import type { RefusalReason } from './seal/refusals.js';

/** The message published on `sealwire:broker:message:refused`. */
export interface RefusedMessage {
  readonly side: 'client' | 'server';
  /** The subject on which the message arrived: the scheme of the transport, and the name that the broker gave. */
  readonly subject: string;
  readonly reason: RefusalReason;
  /** The id of the key of a message that was opened, 16 hexadecimal digits; undefined for any other message. */
  readonly keyId: string | undefined;
}

const MESSAGE_REFUSED = channel('sealwire:broker:message:refused');

export function publishRefused(message: RefusedMessage): void {
  if (MESSAGE_REFUSED.hasSubscribers) MESSAGE_REFUSED.publish(message);
}
