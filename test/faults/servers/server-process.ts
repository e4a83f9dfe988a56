// A server in a process of its own, started by ProcessServers. Its log is a file, so that it survives a SIGKILL.
import { openSync, writeSync } from 'node:fs';

import { Keyring, SecretKey } from '@sealwire/crypto';

import { FAILURE_MARK } from './server-command.js';
import type { ServeCommand, ServerCommand } from './server-command.js';
import { startInProcess } from './tested-server.js';
import type { TestedServer } from './tested-server.js';

let server: TestedServer | undefined;
let write = (line: string): void => console.error(line);

async function serve({ name, keyHex, logFile, options }: ServeCommand): Promise<void> {
  const log = openSync(logFile, 'a');
  write = (line) => void writeSync(log, `${line}\n`);
  const keyring = Keyring.of(SecretKey.fromBytes(Buffer.from(keyHex, 'hex')));
  server = await startInProcess(name, { ...options, keyring }, write);
  process.send?.(server.port);
}

async function stop(): Promise<void> {
  await server?.stop();
  for (const failure of server?.record.failures ?? []) fail(failure);
  process.disconnect();
}

function fail(what: unknown): void {
  const text = what instanceof Error ? (what.stack ?? what.message) : String(what);
  write(`${FAILURE_MARK}${text.replaceAll('\n', ' ')}`);
}

for (const event of ['uncaughtException', 'unhandledRejection', 'warning'] as const)
  process.on(event, (error: unknown) => fail(`${event}: ${error instanceof Error ? error.stack : String(error)}`));
process.on('disconnect', () => process.exit());
process.on('message', (command: ServerCommand) => void (command === 'stop' ? stop() : serve(command)));
