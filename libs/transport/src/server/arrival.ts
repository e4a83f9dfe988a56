import { AsyncResource } from 'node:async_hooks';

import type { ServerStream } from '@sealwire/channel';

/**
 * A message on its way to its handler, and the async context of its own in which it is handled: what one message enters
 * (`AsyncLocalStorage.enterWith`, in a guard for example) is not seen by the next.
 */
export class Arrival extends AsyncResource {
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
