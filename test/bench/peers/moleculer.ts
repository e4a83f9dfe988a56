import { Middlewares, ServiceBroker, Transporters } from 'moleculer';
import type { ConnectedClient, Peer, RunningServer, Setting } from '../peer.js';
import { MOLECULER_LIMITS } from '../raised-limits.js';
import { HOST } from './nest.js';

const SERVER = 'server';
const SERVICE = 'echoes';

/** Moleculer over its TCP transporter with its AES middleware: AES-128-CBC under one IV for everything, no authentication. */
export const moleculer: Peer = {
  name: 'moleculer',
  serve: async (setting): Promise<RunningServer> => {
    const { broker, transporter } = makeBroker(SERVER, setting);
    let events = 0;
    broker.createService({
      name: SERVICE,
      actions: {
        echo: ({ params }: { readonly params: unknown }) => params,
        eventCount: () => events,
      },
      events: { 'bench.event': () => void events++ },
    });
    await broker.start();
    return { port: transporter.opts.port, close: () => broker.stop() };
  },
  connect: async (setting, port): Promise<ConnectedClient> => {
    const { broker } = makeBroker(`client-${process.pid}`, setting, [`tcp://${HOST}:${port}/${SERVER}`]);
    await broker.start();
    await broker.waitForServices(SERVICE);
    return {
      request: (payload, done) => {
        broker.call(`${SERVICE}.echo`, payload).then((answer: unknown) => done(undefined, answer), done);
      },
      emit: (payload, done) => void broker.emit('bench.event', payload).then(() => done(undefined), done),
      countEvents: (done) => {
        broker.call(`${SERVICE}.eventCount`).then((answer: unknown) => done(undefined, answer), done);
      },
      close: () => broker.stop(),
    };
  },
};

/** What its types leave out: the port that it has chosen stands in its options. */
type BoundTransporter = InstanceType<typeof Transporters.TCP> & { readonly opts: { readonly port: number } };

function makeBroker(
  nodeID: string,
  { secrets, limits }: Setting,
  urls: readonly string[] = [],
): { readonly broker: ServiceBroker; readonly transporter: BoundTransporter } {
  const transporter = new Transporters.TCP({
    urls,
    udpDiscovery: false,
    useHostname: false,
    gossipPeriod: 1,
    ...(limits === 'raised' ? MOLECULER_LIMITS : {}),
  }) as BoundTransporter;
  const key = Buffer.from(secrets.sharedKey, 'hex');
  const encryption = Middlewares.Transmit.Encryption(key, 'aes-128-cbc', key);
  const broker = new ServiceBroker({ nodeID, transporter, logger: false, middlewares: [encryption] });
  return { broker, transporter };
}
