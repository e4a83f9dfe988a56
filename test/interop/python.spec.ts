// Our client and server with the implementation in clients/python, which was written from the text of the protocol alone.
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { firstValueFrom, lastValueFrom, throwError } from 'rxjs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { outcome } from '../support/application.js';
import { endAll, key, newClient, portOf, startServer } from '../support/pair.js';

/** Debian's, whose `cryptography` is a package of the system, and whatever else there is. */
const PYTHONS = ['/usr/bin/python3', 'python3'];
const FOLDER = new URL('../../clients/python/', import.meta.url);

const python = PYTHONS.find(hasCryptography);
if (python === undefined) console.warn('Skipped: there is no python3 with the package cryptography');

function hasCryptography(command: string): boolean {
  try {
    execFileSync(command, ['-c', 'import cryptography, sys; sys.exit(sys.version_info < (3, 11))'], {
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(python === undefined)('the implementation in Python', () => {
  let directory: string;
  let keyFile: string;
  const children: ChildProcess[] = [];

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'sealwire-'));
    keyFile = join(directory, 'key');
    writeFileSync(keyFile, key);
    chmodSync(keyFile, 0o600);
  });

  afterEach(async () => {
    await endAll();
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  afterAll(() => rmSync(directory, { recursive: true }));

  function start(command: string, ...rest: readonly string[]): ChildProcess {
    const all = ['-m', 'sealwire', command, '--key-file', keyFile, ...rest];
    const child = spawn(python ?? '', all, { cwd: FOLDER, stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    return child;
  }

  /** What a call prints: a value in each line; and how it ended. */
  async function call(command: string, ...rest: readonly string[]): Promise<{ lines: unknown[]; status: unknown }> {
    const child = start(command, ...rest);
    const exited = once(child, 'exit');
    const lines: unknown[] = [];
    for await (const line of createInterface({ input: child.stdout ?? process.stdin })) lines.push(JSON.parse(line));
    const [status] = (await exited) as [unknown];
    return { lines, status };
  }

  /** Where it listens. */
  async function serve(...rest: readonly string[]): Promise<{ port: number; child: ChildProcess }> {
    const child = start('serve', '--port', '0', ...rest);
    const [line] = (await once(createInterface({ input: child.stdout ?? process.stdin }), 'line')) as [string];
    return { port: (JSON.parse(line) as { port: number }).port, child };
  }

  it('connects to our server, asks, emits and closes', async () => {
    const server = await startServer();
    const noted: unknown[] = [];
    server.addHandler('note', (data: unknown) => Promise.resolve(noted.push(data)), true);
    const ended: unknown[] = [];
    server.connectionEvents.subscribe((event) => {
      if (event.type === 'closed') ended.push(event.error);
      if (event.type === 'refused') ended.push(event.error);
    });
    const address = `127.0.0.1:${portOf(server)}`;
    expect(await call('send', address, 'echo', '{"a":[1,"ü"]}')).toEqual({ lines: [{ a: [1, 'ü'] }], status: 0 });
    expect(await call('emit', address, 'note', '"hello"')).toEqual({ lines: [{ acknowledged: true }], status: 0 });
    expect(noted).toEqual(['hello']);
    await expect.poll(() => ended).toEqual([undefined, undefined]);
  });

  it('answers our client, and closes with it', async () => {
    const { port, child } = await serve();
    const client = newClient(port);
    expect(await firstValueFrom(client.send('echo', { a: [1, 'ü'] }))).toEqual({ a: [1, 'ü'] });
    await lastValueFrom(client.emit('note', 'hello'), { defaultValue: undefined });
    expect(await firstValueFrom(client.send('notes', {}))).toEqual(['hello']);
    const events: unknown[] = [];
    client.connectionEvents.subscribe((event) => events.push(event));
    await client.close();
    expect(events).toEqual([{ type: 'disconnected', error: undefined }]);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('takes and gives CREDIT, without which bulk stops [R5.29, R5.31, R5.34]', async () => {
    const text = 'x'.repeat(3_000_000);
    const client = newClient((await serve()).port);
    const echoes = Array.from({ length: 4 }, () => firstValueFrom(client.send<string>('echo', text)));
    expect((await Promise.all(echoes)).every((echo) => echo === text)).toBe(true);
    const server = await startServer();
    server.addHandler('large', () => Promise.resolve(text));
    expect(await call('send', `127.0.0.1:${portOf(server)}`, 'large', '1')).toEqual({ lines: [text], status: 0 });
  });

  it('knows which errors are of the transport, and which only look like them [R6.33, R6.34]', async () => {
    const likeOurs = { status: 'error', message: 'of the application', code: 'ERR_OVERLOADED' };
    const marked = { ...likeOurs, application: true };
    const server = await startServer({ maxJsonNodes: 10 });
    server.addHandler('fail', () => Promise.resolve(throwError(() => likeOurs)));
    const address = `127.0.0.1:${portOf(server)}`;
    expect(await call('send', address, 'fail', '1')).toEqual({ lines: [{ error: marked }], status: 1 });
    const many = JSON.stringify(Array.from({ length: 40_000 }, () => 0));
    expect(await call('send', address, 'echo', many)).toEqual({
      lines: [{ code: 'ERR_MESSAGE_TOO_COMPLEX', message: 'The message has too many JSON values' }],
      status: 1,
    });
    const client = newClient((await serve()).port);
    expect({ ...((await outcome(client.send('fail', likeOurs))) as object) }).toEqual(marked);
  });

  it('refuses an event, and takes the refusal of one [R6.14]', async () => {
    const deserialize = (): never => {
      throw new Error('not today');
    };
    const server = await startServer({ deserializer: { deserialize } });
    const refused = await call('emit', `127.0.0.1:${portOf(server)}`, 'note', '1');
    expect(refused).toEqual({
      lines: [{ code: 'ERR_MESSAGE_MALFORMED', message: 'The message is malformed' }],
      status: 1,
    });
    const { port } = await serve('--memory', '70000');
    const client = newClient(port);
    const large = outcome(client.emit('note', 'x'.repeat(1_000_000)));
    expect(await large).toMatchObject({ code: 'ERR_OVERLOADED', sent: false });
    await lastValueFrom(client.emit('note', 'small'), { defaultValue: undefined });
    expect(await firstValueFrom(client.send('notes', {}))).toEqual(['small']);
    expect(client.snapshot().connected).toBe(1);
  });

  it('is refused, and refuses, with another service name', async () => {
    const server = await startServer();
    const refused = await call('send', '--service', 'other', `127.0.0.1:${portOf(server)}`, 'echo', '1');
    expect(refused).toMatchObject({ status: 2, lines: [{ failure: expect.stringContaining('alert') }] });
    const { port } = await serve('--service', 'other');
    await expect(newClient(port).connect()).rejects.toMatchObject({ code: 'ERR_ALERT' });
  });
});
