// M: two brokers of Moleculer that talk over its TCP transporter, encrypted by its own middleware, as its users set it up.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

import moleculer from 'moleculer';
import type { Context, ServiceBroker } from 'moleculer';
import { TcpProxy } from '../../support/tcp-proxy.js';
import { atEnd } from '../clean-up.js';

const HEADER_BYTES = 6;
const TYPE_AT = 5;
const REQUEST_TYPE = 2;
const HELLO_TYPE = 8;
const FOUND_WITHIN_MS = 60_000;
const SETTLE_MS = 15_000;

interface Payment {
  readonly memo: string;
  readonly amount: number;
}

export interface Secret {
  readonly password: Buffer;
  readonly iv: Buffer;
}

export const newSecret = (): Secret => ({ password: randomBytes(32), iv: randomBytes(16) });

/** A node with an action that pays, and a client node whose way to it leads through a proxy. */
export class MoleculerPair {
  readonly proxy: TcpProxy;
  /** What the action was called with. */
  readonly paid: Payment[] = [];
  readonly port: number;
  readonly #newTill: () => ServiceBroker;
  readonly #bank: ServiceBroker;
  #till: ServiceBroker;
  #isClosed = false;

  private constructor(proxy: TcpProxy, port: number, back: number, secret: Secret) {
    this.proxy = proxy;
    this.port = port;
    this.#bank = broker('bank', secret, port, `${back}/till`);
    this.#newTill = () => broker('till', secret, back, `${proxy.port}/bank`);
    this.#till = this.#newTill();
    const pay = ({ params }: Context<Payment>): string => {
      this.paid.push(params);
      return 'paid';
    };
    this.#bank.createService({ name: 'bank', actions: { pay } });
    atEnd(() => this.close());
  }

  static async open(secret = newSecret()): Promise<MoleculerPair> {
    const [port, back] = [await freePort(), await freePort()];
    const pair = new MoleculerPair(await TcpProxy.to(port), port, back, secret);
    await Promise.all([pair.#till.start(), pair.#bank.start()]);
    await pair.#till.waitForServices('bank', FOUND_WITHIN_MS, 20);
    return pair;
  }

  /** The client node stops and starts again. */
  async restartTill(): Promise<void> {
    await this.#till.stop();
    this.#till = this.#newTill();
    await this.#till.start();
  }

  /** May be called again. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.proxy.close();
    await Promise.all([this.#till.stop(), this.#bank.stop()]);
  }

  async pay(payment: Payment, timeout = SETTLE_MS): Promise<unknown> {
    return this.#till.call('bank.pay', payment, { timeout }).catch((error: unknown) => error);
  }

  /** The request packets that the proxy has seen: header and ciphertext. */
  get requests(): readonly Buffer[] {
    return packetsOf(this.proxy.bytes('c2s')).filter(isRequest);
  }

  /** What the client said when it connected, as the proxy has seen it. */
  get greetings(): readonly Buffer[] {
    return packetsOf(this.proxy.bytes('c2s')).filter((packet) => packet[TYPE_AT] === HELLO_TYPE);
  }

  /** Whoever reaches the port sends packets, and waits until they were taken. */
  async inject(...packets: readonly Buffer[]): Promise<void> {
    const before = this.paid.length;
    const socket = connect({ port: this.port, host: '127.0.0.1' });
    socket.on('error', () => undefined).resume();
    socket.end(Buffer.concat(packets));
    const untilMs = performance.now() + SETTLE_MS;
    while (this.paid.length === before && performance.now() < untilMs) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    socket.destroy();
  }
}

export const isRequest = (packet: Buffer): boolean => packet[TYPE_AT] === REQUEST_TYPE;
export const bodyOf = (packet: Buffer): Buffer => packet.subarray(HEADER_BYTES);

function packetsOf(bytes: Buffer): Buffer[] {
  const packets: Buffer[] = [];
  for (let at = 0; at + HEADER_BYTES <= bytes.length; at += bytes.readInt32BE(at + 1)) {
    packets.push(bytes.subarray(at, at + bytes.readInt32BE(at + 1)));
  }
  return packets;
}

function broker(nodeID: string, { password, iv }: Secret, port: number, peer: string): ServiceBroker {
  return new moleculer.ServiceBroker({
    nodeID,
    namespace: '',
    logger: false,
    transporter: {
      type: 'TCP',
      options: { udpDiscovery: false, port, gossipPeriod: 1, urls: [`tcp://127.0.0.1:${peer}`] },
    },
    middlewares: [moleculer.Middlewares.Transmit.Encryption(password, 'aes-256-cbc', iv)],
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
