import type { Input } from '../input.js';
import type { Terminal } from '../terminal.js';
import type { Result } from '../verb.js';
import { call } from './one-call.js';
import { withConnection } from './connection.js';
import { readMessage } from './message.js';

export async function run(input: Input, terminal: Terminal): Promise<Result> {
  const message = await readMessage(input, terminal);
  return withConnection(input, terminal, async ({ link, server, leftMs, stop }) => {
    await call(link, { kind: 'EVENT', ...message, timeoutMs: leftMs, stop, onValue: () => undefined });
    return { json: { server, acknowledged: true }, text: `${server} has acknowledged the event` };
  });
}
