// One half of a peer, in a process of its own. Started by Pair, which tells it what to do and ends it.

import { Logger } from '@nestjs/common';
import { measureClient, measureUsage, type ClientMeasure, type Usage } from './measure.js';
import type { ConnectedClient, RunningServer, Secrets } from './peer.js';
import { findPeer } from './peers/index.js';
import { runWorkload, type Workload } from './workload.js';

/** What the bench asks of a process, by the name of the answer's type. */
export type Command =
  | { readonly ask: 'serve'; readonly peer: string; readonly secrets: Secrets }
  | { readonly ask: 'connect'; readonly peer: string; readonly secrets: Secrets; readonly port: number }
  | { readonly ask: 'run'; readonly workload: Workload; readonly durationMs: number }
  | { readonly ask: 'usage' };

export interface AnswerTo {
  readonly serve: RunningServer;
  readonly connect: null;
  readonly run: ClientMeasure;
  readonly usage: Usage;
}

export type Reply<Ask extends Command['ask'] = Command['ask']> =
  { readonly ok: AnswerTo[Ask] } | { readonly failed: string };

let client: ConnectedClient | undefined;

async function answer(command: Command): Promise<AnswerTo[Command['ask']]> {
  switch (command.ask) {
    case 'serve':
      return findPeer(command.peer).serve(command.secrets);
    case 'connect':
      client = await findPeer(command.peer).connect(command.secrets, command.port);
      return null;
    case 'run':
      if (client === undefined) throw new Error('Not connected');
      return measureClient(await runWorkload(client, command.workload, command.durationMs));
    case 'usage':
      return measureUsage();
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
  process.send?.(message);
}
