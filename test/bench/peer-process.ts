// One half of a peer, in a process of its own. Started by Pair, which tells it what to do and ends it.

import { Logger } from '@nestjs/common';
import { measureClient, measureHeldKiB, measureUsage, type ClientMeasure, type Usage } from './measure.js';
import type { ConnectedClient, RunningServer, Setting } from './peer.js';
import { findPeer } from './peers/index.js';
import { runWorkload, type Workplace } from './work/index.js';
import type { Workload } from './workload.js';

/** What the bench asks of a process, by the name of the answer's type. */
export type Command =
  | { readonly ask: 'serve'; readonly peer: string; readonly setting: Setting; readonly brokerPort?: number }
  | { readonly ask: 'connect'; readonly peer: string; readonly setting: Setting; readonly ports: readonly number[] }
  | { readonly ask: 'run'; readonly workload: Workload; readonly durationMs: number }
  | { readonly ask: 'usage' }
  | { readonly ask: 'held-kib' };

export interface AnswerTo {
  readonly serve: { readonly port: number };
  readonly connect: null;
  readonly run: ClientMeasure;
  readonly usage: Usage;
  readonly 'held-kib': number;
}

export type Reply<Ask extends Command['ask'] = Command['ask']> =
  { readonly ok: AnswerTo[Ask] } | { readonly failed: string };

let workplace: Workplace | undefined;
let server: RunningServer | undefined;

async function answer(command: Command): Promise<AnswerTo[Command['ask']]> {
  switch (command.ask) {
    case 'serve': {
      server = await findPeer(command.peer).serve(command.setting, command.brokerPort);
      return { port: server.port };
    }
    case 'connect': {
      const [port = 0, ...others] = command.ports;
      const peer = findPeer(command.peer);
      const connect = (): Promise<ConnectedClient> => peer.connect(command.setting, port, others);
      workplace = { client: await connect(), connect };
      return null;
    }
    case 'run': {
      if (workplace === undefined) throw new Error('Not connected');
      return measureClient(command.workload, await runWorkload(workplace, command.workload, command.durationMs));
    }
    case 'usage':
      return server?.usage?.() ?? measureUsage();
    case 'held-kib':
      return measureHeldKiB();
  }
}

Logger.overrideLogger(false);
process.on('disconnect', () => process.exit());
process.on('message', (command: Command) => {
  answer(command).then(
    (ok) => reply({ ok }),
    (error: unknown) => reply({ failed: error instanceof Error ? error.message : String(error) }),
  );
});

function reply(message: Reply): void {
  process.send?.(message, undefined, undefined, () => undefined); // fails if the bench has given this peer up meanwhile
}
