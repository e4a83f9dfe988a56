import { AsyncResource } from 'node:async_hooks';

import { wipe } from '@sealwire/crypto';
import type { KeysChange, KeysStatus } from '@sealwire/crypto';

import { clock } from '../clock.js';
import type { CodecFactory } from '../connection/codec.js';
import { publishHandshakeFailed } from '../diagnostics.js';
import { KeyPair } from '../handshake/index.js';
import { isOwnServer } from '../instances.js';
import { ChannelKeys } from '../keys/channel-keys.js';
import { resolveService } from '../options/channel-options.js';
import type { ChannelClientOptions } from '../options/channel-options.js';
import { formatEndpoint } from '../options/endpoint.js';
import { primaryOf } from '../keys/key-source-check.js';
import type { Limits } from '../options/limits.js';
import { resolveServers } from '../options/servers.js';
import type { Servers } from '../options/servers.js';
import type { ServerAddress } from '../pool/addresses/server-address.js';
import { ClientLink } from './client-link.js';
import type { LinkEvents } from './client-link.js';
import { dial } from './dial.js';
import { EventSequences } from './event-sequences.js';
import { LinkKeys } from './link-key.js';
import type { LinkKey } from './link-key.js';

export interface DialerOptions {
  readonly limits: Limits;
  readonly createCodec: CodecFactory;
  /** Receives warnings about a usable key file, and the reason why a changed one was not loaded. */
  readonly warn: (message: string) => void;
  /** Receives a line for the log after keys were loaded from a key file. */
  readonly log?: (message: string) => void;
}

interface Attempt {
  readonly primary: ReturnType<typeof primaryOf>;
  readonly key: LinkKey;
  readonly server: ServerAddress;
  readonly signal: AbortSignal;
  readonly events: LinkEvents;
  readonly leftMs: number;
}

/**
 * Opens the connections of one client. When the primary key of the client changes, the dialer requests the renewal of
 * the connections.
 */
export class Dialer {
  readonly servers: Servers;
  /** Identifies the client object to servers on all its connections. */
  readonly instance = KeyPair.generate();
  readonly sequences = new EventSequences();
  readonly #options: ChannelClientOptions;
  readonly #limits: Limits;
  readonly #createCodec: CodecFactory;
  readonly #service: string;
  readonly #keys: ChannelKeys;
  readonly #linkKeys: LinkKeys;

  /** @throws {TransportError} `ERR_BAD_OPTION` */
  constructor(options: ChannelClientOptions, { limits, createCodec, ...keyEvents }: DialerOptions) {
    this.servers = resolveServers(options);
    this.#options = options;
    this.#limits = limits;
    this.#createCodec = createCodec;
    this.#service = resolveService(options);
    const linkKeys = (this.#linkKeys = new LinkKeys(keyEvents.warn));
    // A source of the user may report a change inside of a call, whose context must not stay alive with a connection.
    const onChanged = AsyncResource.bind((change: KeysChange) => linkKeys.apply(change));
    this.#keys = new ChannelKeys(options, { ...keyEvents, onChanged });
  }

  /** The current keys; undefined before the key file is loaded, and if a source of the user has no status. */
  get keys(): KeysStatus | undefined {
    return this.#keys.status;
  }

  /** Ends the watch of the key file. `open` may be called again. */
  close(): void {
    this.#keys.detach()();
  }

  /**
   * Opens a connection. Rejects as {@link dial}, with the `CryptoError` of the key file, or if the connection is lost
   * before it can be used. A dial that fails after its key was replaced or revoked begins again with the primary key.
   */
  async open(server: ServerAddress, signal: AbortSignal, events: LinkEvents, leftMs: number): Promise<ClientLink> {
    for (;;) {
      const primary = primaryOf(await this.#keys.load());
      const key = this.#linkKeys.begin(primary.id);
      try {
        return await this.#dial({ primary, key, server, signal, events, leftMs });
      } catch (error) {
        key.end();
        if (signal.aborted || !key.isOutdated) throw error;
      }
    }
  }

  async #dial({ primary, key, server, signal, events, leftMs }: Attempt): Promise<ClientLink> {
    const { id, keyId, psk } = primary;
    const { maxMessageBytes, maxIncompleteBytes, connectMs } = this.#limits;
    const announcement = { unixMs: clock.unixMs(), maxMessageBytes, maxInFlight: 0, maxIncompleteBytes };
    const rejectSelf = this.#options.rejectSelf === true ? { rejectSelf: isOwnServer } : {};
    const options = {
      server,
      key: { keyId, psk },
      handshake: { service: this.#service, announcement, instance: this.instance, ...rejectSelf },
      connectTimeoutMs: connectMs,
      leftMs,
      shareReadBuffer: this.#options.shareReadBuffer ?? true,
      signal,
    };
    const peer = { address: formatEndpoint(server.endpoint), keyId: id };
    const shared = {
      limits: this.#limits,
      createCodec: this.#createCodec,
      sequences: this.sequences,
      key,
      peer,
      events,
    };
    try {
      const link = await dial(options, (dialed) => new ClientLink(dialed, shared)).catch((error: unknown) => {
        publishHandshakeFailed('client', peer, error);
        throw error;
      });
      key.connected(link.connection);
      link.throwUnlessOpen();
      return link;
    } finally {
      wipe(psk);
    }
  }
}
