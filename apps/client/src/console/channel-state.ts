import { Inject, Injectable } from '@nestjs/common';
import type { KeySource } from '@sealwire/crypto';
import { KEYRING } from '@sealwire/crypto/nest';

import { BrokerClient } from '../channel/broker-client.js';
import { CHANNEL } from '../channel/channel.js';
import type { Channel } from '../channel/channel.js';
import type { WireTap } from '../tap/wire-tap.js';

/** The state of the channel as the page shows it. It contains no plaintext. */
@Injectable()
export class ChannelState {
  constructor(
    @Inject(CHANNEL) private readonly channel: Channel,
    @Inject(KEYRING) private readonly keys: KeySource,
  ) {}

  read(tap: WireTap): object {
    const { connections, calls } = tap;
    return {
      kind: 'state',
      unixMs: Date.now(),
      keyId: this.keys.status?.primary,
      keysError: this.keys.status?.error?.code,
      servers: this.channel instanceof BrokerClient ? [] : this.channel.snapshot().servers,
      connections,
      calls: calls.counts,
    };
  }
}
