import { AsyncResource } from 'node:async_hooks';

import type { ServerStream } from '@sealwire/channel';

/**
 * A received message and the async context in which it is handled. Each message has its own, so that the store that one
 * message enters (`AsyncLocalStorage.enterWith`, for example in a guard) is not visible to the next.
 */
export class MessageScope extends AsyncResource {
  readonly stream: ServerStream;
  readonly messageBytes: number;

  constructor(stream: ServerStream, messageBytes: number) {
    super('SEALWIRE_MESSAGE');
    this.stream = stream;
    this.messageBytes = messageBytes;
  }

  get recordBytes(): number {
    return this.stream.sealedRecord?.length ?? 0;
  }
}
