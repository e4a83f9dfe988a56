import type { LinkEvents, ClientLink } from '../../client/client-link.js';
import { clock } from '../../clock.js';
import { formatEndpoint } from '../../options/endpoint.js';
import type { Endpoint } from '../../options/endpoint.js';
import type { Pauses } from '../connector/back-off.js';
import { hasName, NameLookup } from './resolver.js';
import { serverAt } from './server-address.js';
import type { ServerAddress } from './server-address.js';
import { ServerConnector } from '../connector/server-connector.js';
import type { ConnectorOwner } from '../connector/connector-owner.js';

/** @param leftMs - The part of `connectMs` that is left after the resolution of the name. */
export type OpenLink = (
  server: ServerAddress,
  signal: AbortSignal,
  events: LinkEvents,
  leftMs: number,
) => Promise<ClientLink>;

export interface OriginOptions {
  readonly open: OpenLink;
  readonly connectMs: number;
  /** The number of connections to one address. */
  readonly connectionsPerServer: number;
  readonly pauses: Pauses;
  readonly owner: Omit<ConnectorOwner, 'open'>;
  /** The number of addresses that the client may add. */
  readonly room: () => number;
  /** @param added - They are dialed immediately if the client is in use. */
  readonly onChanged: (added: readonly ServerConnector[]) => void;
}

/** One of the servers of a client as it is configured: an address, or a name that may have several. */
export class Origin {
  readonly #options: OriginOptions;
  readonly #endpoint: Endpoint;
  readonly #lookup: NameLookup | undefined;
  #connectors: readonly ServerConnector[];
  /** Whether the addresses are known; until then there is one connector, for the name. */
  #isKnown = false;
  #resolution: { readonly whenApplied: Promise<void>; readonly abort: AbortController } | undefined;
  /** Whether the client was closed since the last resolution, so that the next dial resolves the name. */
  #isOld = false;
  /** Connectors whose dial begins after the resolution, with the address that they have then, by the signal of the dial. */
  readonly #awaiting = new Map<AbortSignal, ServerConnector>();

  constructor(endpoint: Endpoint, options: OriginOptions) {
    this.#options = options;
    this.#endpoint = endpoint;
    this.#lookup = hasName(endpoint) ? new NameLookup(endpoint, options.connectMs) : undefined;
    this.#connectors = this.#create(serverAt(endpoint), options.connectionsPerServer);
  }

  /** Of its current addresses, and of those that have vanished and still have calls. */
  get connectors(): readonly ServerConnector[] {
    return this.#connectors;
  }

  get addressCount(): number {
    return new Set(this.#staying.map(({ server }) => server.name)).size;
  }

  get isName(): boolean {
    return this.#lookup !== undefined;
  }

  /** Forgets addresses that have vanished and no longer have a connection. */
  dropGone(): void {
    if (this.#connectors.some(({ isGone }) => isGone))
      this.#connectors = this.#connectors.filter(({ isGone }) => !isGone);
  }

  /** Resolves the name again. A failure changes nothing. */
  refresh(): void {
    this.#resolve().catch(() => undefined);
  }

  /** Ends a resolution because the client closes. The next dial begins another one. */
  stop(): void {
    this.#resolution?.abort.abort();
    this.#resolution = undefined;
    this.#isOld = true;
  }

  get #staying(): readonly ServerConnector[] {
    return this.#connectors.filter(({ isLeaving }) => !isLeaving);
  }

  #create(server: ServerAddress, count: number): readonly ServerConnector[] {
    const { owner, pauses } = this.#options;
    const open: ConnectorOwner['open'] = (connector, signal, events) => this.#open(connector, signal, events);
    return Array.from({ length: count }, () => new ServerConnector(server, { ...owner, open }, pauses));
  }

  #open(connector: ServerConnector, signal: AbortSignal, events: LinkEvents): Promise<ClientLink> {
    if (this.#lookup === undefined || (this.#isKnown && !this.#isOld && !connector.history.isReturning))
      return this.#options.open(connector.server, signal, events, this.#options.connectMs);
    return this.#resolveAndOpen(connector, signal, events);
  }

  async #resolveAndOpen(connector: ServerConnector, signal: AbortSignal, events: LinkEvents): Promise<ClientLink> {
    const endMs = clock.nowMs() + this.#options.connectMs;
    this.#awaiting.set(signal, connector);
    try {
      await this.#resolve();
    } catch (error) {
      if (!this.#isKnown) throw error;
    } finally {
      this.#awaiting.delete(signal);
    }
    return this.#options.open(connector.server, signal, events, Math.max(1, endMs - clock.nowMs()));
  }

  #resolve(): Promise<void> {
    if (this.#lookup === undefined) return Promise.resolve();
    if (this.#resolution !== undefined) return this.#resolution.whenApplied;
    const abort = new AbortController();
    const whenApplied = this.#lookup
      .run(abort.signal)
      .finally(() => {
        if (this.#resolution?.abort === abort) this.#resolution = undefined;
      })
      .then((addresses) => this.#apply(addresses));
    this.#resolution = { whenApplied, abort };
    return whenApplied;
  }

  /** Assigns the addresses to the connectors. A connector whose address has vanished takes a new one if it may, or leaves. */
  #apply(found: readonly string[]): void {
    const { room, connectionsPerServer, onChanged } = this.#options;
    const known = new Set(this.#staying.map(hostOf));
    const addresses = [...found.filter((host) => known.has(host)), ...found.filter((host) => !known.has(host))];
    const missing = new Map<string, number>();
    for (const host of addresses.slice(0, this.addressCount + room())) missing.set(host, connectionsPerServer);
    const isSole = missing.size === 1;
    const awaiting = new Set(this.#awaiting.values());
    const homeless = this.#staying.filter((connector) => {
      const left = missing.get(hostOf(connector)) ?? 0;
      if (left > 0) missing.set(hostOf(connector), left - 1);
      return left === 0;
    });
    const mayMove = homeless.filter(
      (one) => awaiting.has(one) || (isSole && one.at !== 'CONNECTED' && one.at !== 'DIALING'),
    );
    const added: ServerConnector[] = [];
    this.#isKnown = true;
    this.#isOld = false;
    for (const connector of this.#staying)
      if (!homeless.includes(connector)) connector.server = this.#server(hostOf(connector), isSole);
    for (const [host, count] of missing) {
      const server = this.#server(host, isSole);
      const moved = mayMove.splice(0, count);
      for (const connector of moved) connector.server = server;
      added.push(...moved, ...this.#create(server, count - moved.length));
    }
    this.#connectors = [...new Set([...this.#connectors, ...added])];
    const isLeft = homeless.filter((connector) => !added.includes(connector));
    for (const connector of isLeft) connector.leave();
    if (added.length > 0 || isLeft.length > 0) onChanged(added);
  }

  #server(host: string, isSole: boolean): ServerAddress {
    const name = formatEndpoint(this.#endpoint);
    const endpoint = 'port' in this.#endpoint ? { host, port: this.#endpoint.port } : this.#endpoint;
    return { endpoint, name: isSole ? name : `${name} (${host})` };
  }
}

function hostOf({ server }: ServerConnector): string {
  return 'host' in server.endpoint ? server.endpoint.host : '';
}
