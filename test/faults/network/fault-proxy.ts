import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

import { FaultPath } from './fault-path.js';
import type { PathHost } from './fault-path.js';
import type { ConnectionPlan, FaultKind } from './fault-plan.js';
import { resetSocket } from './reset-socket.js';

interface Proxied {
  readonly client: Socket;
  readonly server: Socket;
  readonly paths: readonly FaultPath[];
}

/**
 * A TCP proxy that injects faults. It keeps nothing of what passes, and waits for a receiver that reads slowly, unlike the
 * proxy of test/support, which records everything.
 */
export class FaultProxy {
  readonly injected = new Map<FaultKind, number>();
  readonly #server: Server;
  readonly #connections = new Set<Proxied>();
  readonly #abort = new AbortController();
  readonly #host: PathHost;
  /** The port of the server, which changes when it starts again. */
  readonly #target: () => number;
  readonly #draw: (connection: number) => ConnectionPlan;
  #accepted = 0;

  /** @param draw - The plan of the connection with this number. */
  private constructor(target: () => number, draw: (connection: number) => ConnectionPlan) {
    this.#target = target;
    this.#draw = draw;
    this.#host = { signal: this.#abort.signal, note: (kind) => this.#note(kind) };
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
  }

  static async start(target: () => number, draw: (connection: number) => ConnectionPlan): Promise<FaultProxy> {
    const proxy = new FaultProxy(target, draw);
    await once(proxy.#server.listen(0, '127.0.0.1'), 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Cuts all connections, by FIN or by RST. */
  cut(kind: 'cut' | 'reset'): void {
    for (const { client, server } of this.#connections) {
      this.#note(kind);
      for (const socket of [client, server]) {
        if (kind === 'cut') socket.destroy();
        else resetSocket(socket);
      }
    }
  }

  /** Stalls both directions of all connections. */
  stall(ms: number): void {
    for (const { paths } of this.#connections) for (const path of paths) path.stall(ms);
  }

  async close(): Promise<void> {
    this.#abort.abort();
    const closed = once(this.#server.close(), 'close');
    for (const { client, server } of this.#connections) {
      client.destroy();
      server.destroy();
    }
    await closed;
  }

  #accept(client: Socket): void {
    const plan = this.#draw(this.#accepted);
    this.#accepted += 1;
    if (plan.at === 'REFUSED') {
      this.#note('refuse');
      resetSocket(client.on('error', () => undefined));
      return;
    }
    const server = connect({ port: this.#target(), host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    const paths = [
      new FaultPath(client, server, plan.c2s, this.#host),
      new FaultPath(server, client, plan.s2c, this.#host),
    ];
    const connection = { client, server, paths };
    this.#connections.add(connection);
    const forget = (): void => {
      if (client.closed && server.closed) this.#connections.delete(connection);
    };
    client.on('close', forget);
    server.on('close', forget);
  }

  #note(kind: FaultKind): void {
    this.injected.set(kind, (this.injected.get(kind) ?? 0) + 1);
  }
}
