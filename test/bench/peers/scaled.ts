// One client with several servers: processes of their own, and the workers of one cluster.

import cluster from 'node:cluster';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { SealwireClient } from '@sealwire/transport';
import { ask } from '../ask.js';
import { addUsages, measureUsage } from '../measure.js';
import type { Peer, RunningServer, Setting } from '../peer.js';
import { connectClient, HOST } from './nest.js';
import { sealwire, sealwireOptions } from './sealwire.js';

const WORKER_FILE = fileURLToPath(new URL('../cluster-worker.js', import.meta.url));
const WORKER_DEADLINE_MS = 30_000;

/** @param servers - The number of processes, each with a port of its own. */
export function sealwireServers(servers: number): Peer {
  return {
    name: `sealwire-${servers}-servers`,
    servers,
    serve: (setting) => sealwire.serve(setting),
    connect: (setting, port, others = []) => {
      const addresses = [port, ...others].map((each) => ({ host: HOST, port: each }));
      return connectClient(new SealwireClient({ servers: addresses, ...sealwireOptions(setting) }));
    },
  };
}

/** @param workers - The number of processes that share one port, and of the connections of the client. */
export function sealwireCluster(workers: number): Peer {
  return {
    name: `sealwire-cluster-${workers}`,
    serve: (setting) => serveCluster(setting, workers),
    connect: (setting, port) => {
      const options = { host: HOST, port, connectionsPerServer: workers, ...sealwireOptions(setting) };
      return connectClient(new SealwireClient(options));
    },
  };
}

async function serveCluster(setting: Setting, count: number): Promise<RunningServer> {
  cluster.setupPrimary({ exec: WORKER_FILE, execArgv: [] });
  const env = { BENCH_SETTING: JSON.stringify(setting) };
  const workers = Array.from({ length: count }, () => cluster.fork(env));
  const signal = AbortSignal.timeout(WORKER_DEADLINE_MS);
  // Every worker that asks for any free port gets the same one.
  const [listening] = await Promise.all(workers.map((worker) => once(worker, 'listening', { signal })));
  const [{ port }] = listening as [{ readonly port: number }];
  return {
    port,
    async usage() {
      const usages = workers.map((worker) => ask(worker.process, { ask: 'usage' }, WORKER_DEADLINE_MS));
      return addUsages([measureUsage(), ...(await Promise.all(usages))]);
    },
    close: () => {
      for (const worker of workers) worker.kill();
    },
  };
}
