import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { firstValueFrom } from 'rxjs';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';

import { endAll, key, newClient } from '../support/pair.js';

const SERVER = fileURLToPath(new URL('fixtures/few-descriptors.mjs', import.meta.url));
const MAX_FILES = 1_000; // loading modules takes hundreds at the same time if the disk is slow

afterEach(() => endAll());

/** With a way to wait for what it prints. */
function startServer() {
  const command = `ulimit -n ${MAX_FILES} && exec "$0" "$@"`;
  const args = [process.execPath, SERVER, Buffer.from(key).toString('hex')];
  const server = spawn('bash', ['-c', command, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void server.kill('SIGKILL'));
  const lines: string[] = [];
  const exited = once(server, 'exit');
  const reader = createInterface({ input: server.stdout }).on('line', (line) => lines.push(line));
  return async (start: string): Promise<string> => {
    for (;;) {
      const line = lines.find((each) => each.startsWith(start));
      if (line !== undefined) return line;
      const hasEnded = await Promise.race([once(reader, 'line').then(() => false), exited.then(() => true)]);
      if (hasEnded && !lines.some((each) => each.startsWith(start)))
        throw new Error(`The server ended before it printed ${start}`);
    }
  };
}

describe.skipIf(process.platform === 'win32')('a server that has no file descriptors left', () => {
  it('logs it, and serves again when it has one', async () => {
    const printed = startServer();
    const port = Number((await printed('port ')).slice('port '.length));
    const sockets: Socket[] = Array.from({ length: MAX_FILES }, () =>
      connect(port, '127.0.0.1')
        .on('error', () => undefined)
        .resume(),
    );
    onTestFinished(() => sockets.forEach((socket) => socket.destroy()));
    expect(await printed('error ')).toMatch(
      /^error No client can connect: this process has no file descriptors left \(EMFILE\)/,
    );
    for (const socket of sockets) socket.destroy();
    const client = newClient(port, {
      timeouts: { waitForConnectionMs: 15_000 },
      redial: { minMs: 20, maxMs: 100, inBackground: false },
    });
    expect(await firstValueFrom(client.send('echo', 'served'))).toBe('served');
  });
});
