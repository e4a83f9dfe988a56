import { SealwireClient } from '@sealwire/transport';

import { withinWait } from './connect-wait.js';

/**
 * Sends over connections of its own. A call waits for its first connection for a limited time: in the client and not before
 * it, because the metrics and traces would otherwise contain no call that found no server.
 */
export class DirectClient extends SealwireClient {
  override async connect(...[signal, kind]: Parameters<SealwireClient['connect']>): Promise<void> {
    const isForCall = signal !== undefined;
    if (isForCall) await withinWait(super.connect(signal));
    return super.connect(signal, kind);
  }
}
