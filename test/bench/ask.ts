import type { ChildProcess } from 'node:child_process';
import type { AnswerTo, Command, Reply } from './peer-process.js';

/** What the process of peer-process.ts answers. Rejects if it fails, ends, or does not answer in time. */
export function ask<Ask extends Command['ask']>(
  child: ChildProcess,
  command: Command & { readonly ask: Ask },
  afterMs: number,
): Promise<AnswerTo[Ask]> {
  return new Promise((resolve, reject) => {
    const settle = (reply: Reply<Ask>): void => {
      clearTimeout(deadline);
      child.off('message', settle).off('exit', gone);
      if ('failed' in reply) reject(new Error(reply.failed));
      else resolve(reply.ok);
    };
    const gone = (): void => settle({ failed: 'its process ended' });
    const deadline = setTimeout(() => settle({ failed: `no answer within ${afterMs / 1000} s` }), afterMs);
    child.once('message', settle).once('exit', gone);
    child.send(command, (error) => {
      if (error !== null) settle({ failed: 'its process ended' });
    });
  });
}
