import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Measure, Usage } from './measure.js';
import type { Peer, Secrets } from './peer.js';
import type { AnswerTo, Command, Reply } from './peer-process.js';
import type { Workload } from './workload.js';

const PROCESS_FILE = fileURLToPath(new URL('peer-process.js', import.meta.url));
const START_DEADLINE_MS = 10_000;
/** What a run may take beyond its own time before it counts as hung. */
const RUN_GRACE_MS = 5000;

/** The server process and the client process of one peer, connected. */
export class Pair {
  readonly #server = fork(PROCESS_FILE);
  readonly #client = fork(PROCESS_FILE);

  static async start(peer: Peer, secrets: Secrets): Promise<Pair> {
    const pair = new Pair();
    try {
      const { port } = await ask(pair.#server, { ask: 'serve', peer: peer.name, secrets }, START_DEADLINE_MS);
      await ask(pair.#client, { ask: 'connect', peer: peer.name, secrets, port }, START_DEADLINE_MS);
      return pair;
    } catch (error) {
      await pair.kill();
      throw error;
    }
  }

  /** Rejects when the run fails, or has not ended {@link RUN_GRACE_MS} after its time. */
  async run(workload: Workload, durationMs: number): Promise<Measure> {
    const before = await this.#usage();
    const run = await ask(this.#client, { ask: 'run', workload, durationMs }, durationMs + RUN_GRACE_MS);
    const after = await this.#usage();
    const cpuMicros =
      after.server.cpuMicros + after.client.cpuMicros - before.server.cpuMicros - before.client.cpuMicros;
    return { ...run, cpuMicrosPerRequest: cpuMicros / run.requests };
  }

  /** The most memory that each end has held at once, in MiB. */
  async peakMemoryMiB(): Promise<{ readonly server: number; readonly client: number }> {
    const { server, client } = await this.#usage();
    return { server: server.peakMemoryMiB, client: client.peakMemoryMiB };
  }

  async kill(): Promise<void> {
    await Promise.all(
      [this.#server, this.#client].map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const exit = once(child, 'exit');
        child.kill('SIGKILL'); // one that hangs would not end otherwise
        await exit;
      }),
    );
  }

  async #usage(): Promise<{ readonly server: Usage; readonly client: Usage }> {
    const [server, client] = await Promise.all([
      ask(this.#server, { ask: 'usage' }, RUN_GRACE_MS),
      ask(this.#client, { ask: 'usage' }, RUN_GRACE_MS),
    ]);
    return { server, client };
  }
}

function ask<Ask extends Command['ask']>(
  child: ChildProcess,
  command: Command & { readonly ask: Ask },
  deadlineMs: number,
): Promise<AnswerTo[Ask]> {
  return new Promise((resolve, reject) => {
    const settle = (reply: Reply<Ask>): void => {
      clearTimeout(deadline);
      child.off('message', settle).off('exit', gone);
      if ('failed' in reply) reject(new Error(reply.failed));
      else resolve(reply.ok);
    };
    const gone = (): void => settle({ failed: 'its process ended' });
    const deadline = setTimeout(() => settle({ failed: `no answer within ${deadlineMs / 1000} s` }), deadlineMs);
    child.once('message', settle).once('exit', gone);
    child.send(command);
  });
}
