import type { SealwireClientOptions } from '@sealwire/transport';
import type { Observable } from 'rxjs';

import { DirectClient } from '../channel/direct-client.js';
import { TappedCodec } from './tapped-codec.js';
import type { Codec } from './tapped-codec.js';
import type { WireTap } from './wire-tap.js';

/** A client whose records a {@link WireTap} shows. */
export class TappedClient extends DirectClient {
  readonly #tap: WireTap;

  constructor(options: SealwireClientOptions, tap: WireTap) {
    super(options);
    this.#tap = tap;
  }

  override send<Result = unknown, Input = unknown>(pattern: unknown, data: Input): Observable<Result> {
    return this.#tap.calls.count(super.send<Result, Input>(pattern, data));
  }

  override emit<Result = unknown, Input = unknown>(pattern: unknown, data: Input): Observable<Result> {
    this.#tap.calls.countEvent();
    return super.emit<Result, Input>(pattern, data);
  }

  protected override createCodec(...session: Parameters<DirectClient['createCodec']>): Codec {
    const [{ keyId }, , server = 'unknown'] = session;
    const connection = this.#tap.open(server, Buffer.from(keyId).toString('hex'));
    return new TappedCodec(super.createCodec(...session), connection);
  }
}
