// `sealwire ping`, `send`, `emit` and `stream` against real servers.
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import { generateKey, Keyring, SecretKey } from '@sealwire/crypto';
import { finalize, interval, map, of, throwError } from 'rxjs';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';

import { freePorts } from '../../support/free-ports.js';
import { endAll, key, portOf, startServer } from '../../support/pair.js';
import { echo, startChannelServer } from '../../support/plain.js';
import { findSecretsInOutput } from '../../support/secret-forms.js';
import { entry, newDirectory, writeRing } from './key-files.js';
import { Running, sealwire } from './sealwire.js';

afterEach(endAll);

function writeKey(bytes: Uint8Array): string {
  const path = join(newDirectory(), 'key');
  writeFileSync(path, bytes, { mode: 0o600 });
  return path;
}

/** A process with the key of the servers in its environment. */
const withKey = (args: readonly string[], input?: string) =>
  sealwire(args, { env: { SEALWIRE_KEY_FILE: writeKey(key) }, ...(input === undefined ? {} : { input }) });

const failed = (pattern: RegExp, status = 1) => ({
  status,
  stdout: '',
  stderr: expect.stringMatching(new RegExp(`^sealwire: .*${pattern.source}.*\n$`)),
});

/** A server of another protocol, which answers with these bytes. @returns Its port. */
async function startOther(answer: Uint8Array): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.write(answer));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

describe('sealwire ping', () => {
  it('measures a round trip over TCP', async () => {
    const at = `127.0.0.1:${portOf(await startServer())}`;
    const { status, stdout, stderr } = await withKey(['ping', at, '--json']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const number = expect.any(Number);
    const { id: keyId } = SecretKey.fromBytes(key);
    const facts = { server: at, keyId, service: 'default', connectMs: number, roundTripMs: number };
    expect(JSON.parse(stdout)).toEqual(facts);
    expect((await withKey(['ping', at])).stdout).toMatch(
      new RegExp(`^${at} answered in .* key ${keyId}, service "default"\n$`),
    );
  });

  it('measures a round trip over a Unix domain socket, with the key of --key', async () => {
    const path = join(newDirectory(), 'socket');
    const options: object = { path, port: undefined };
    await startServer(options);
    const run = await sealwire(['ping', `unix:${path}`, '--key', writeKey(key)]);
    expect(run).toMatchObject({ status: 0, stderr: '' });
  });
});

describe('sealwire ping --kid', () => {
  const now = Date.now();
  const keys = {
    first: entry({ state: 'primary', label: 'first' }),
    second: entry({ label: 'second' }),
    revoked: entry({ label: 'revoked', state: 'revoked' }),
    late: entry({ label: 'late', notAfter: now - 1_000 }),
  };

  it('connects with the key that it names by its label or its id', async () => {
    const { first, second } = keys;
    const server = await startServer({ keyring: Keyring.of(second.key) });
    const args = ['ping', `127.0.0.1:${portOf(server)}`, '--key', writeRing([first, second])];
    for (const name of ['second', second.key.id]) {
      const { stdout } = await sealwire([...args, '--kid', name, '--json']);
      expect(JSON.parse(stdout)).toMatchObject({ keyId: second.key.id });
    }
    expect(await sealwire(args)).toEqual(failed(new RegExp(`does not accept the key ${first.key.id}`)));
  });

  it('refuses a key that cannot be used, or that the keyring does not have', async () => {
    const args = ['ping', '127.0.0.1:1', '--key', writeRing(Object.values(keys)), '--kid'];
    expect(await sealwire([...args, 'revoked'])).toEqual(failed(/cannot be used now: it is revoked/));
    expect(await sealwire([...args, 'late'])).toEqual(failed(/cannot be used now: it is outside its time window/));
    expect(await sealwire([...args, 'none'])).toEqual(failed(/has no key "none".*ERR_KEYRING_NO_KEY/));
  });
});

describe('sealwire send', () => {
  it('prints the answer to a pattern that is a text, and to one that is an object', async () => {
    const server = await startServer();
    server.addHandler({ cmd: 'sum', version: 1 }, (data: readonly number[]) =>
      Promise.resolve(data.reduce((sum, one) => sum + one)),
    );
    const at = `127.0.0.1:${portOf(server)}`;
    expect(await withKey(['send', at, 'echo', '{"a":[1]}', '--json'])).toEqual({
      status: 0,
      stdout: `{"server":"${at}","answer":{"a":[1]},"values":1}\n`,
      stderr: '',
    });
    expect(await withKey(['send', at, '{ "version": 1, "cmd": "sum" }', '[1, 2]'])).toMatchObject({ stdout: '3\n' });
  });

  it('reads the data from standard input, and escapes what could control a terminal', async () => {
    const at = `127.0.0.1:${portOf(await startServer())}`;
    const run = await withKey(['send', at, 'echo', '-'], '"\\u001b[2J \u009b \u202e"');
    expect(run.stdout).toBe('"\\u001b[2J \\u009b \\u202e"\n');
  });

  it('says that an answer had several values', async () => {
    const server = await startServer();
    server.addHandler('few', () => Promise.resolve(of(1, 'two', Buffer.from('x'))));
    const run = await withKey(['send', `127.0.0.1:${portOf(server)}`, 'few', '--json']);
    expect(JSON.parse(run.stdout)).toMatchObject({ answer: { base64: 'eA==' }, values: 3 });
    expect(run.stderr).toContain('3 values');
  });
});

describe('sealwire emit', () => {
  it('resolves after the handler was called', async () => {
    const server = await startServer();
    const seen: unknown[] = [];
    server.addHandler('noted', (data: unknown) => Promise.resolve(seen.push(data)), true);
    const run = await withKey(['emit', `127.0.0.1:${portOf(server)}`, 'noted', '"hi"', '--json']);
    expect(JSON.parse(run.stdout)).toMatchObject({ acknowledged: true });
    expect(seen).toEqual(['hi']);
  });
});

describe('sealwire stream', () => {
  it('prints each value on a line, and ends with the answer', async () => {
    const server = await startServer();
    server.addHandler('few', () => Promise.resolve(of(1, 'two')));
    const run = await withKey(['stream', `127.0.0.1:${portOf(server)}`, 'few', '--json']);
    expect(run).toEqual({ status: 0, stdout: '{"value":1}\n{"value":"two"}\n', stderr: '' });
  });

  async function startEndless(): Promise<{ readonly args: readonly string[]; readonly left: Promise<void> }> {
    const server = await startServer();
    let leave: () => void = () => undefined;
    const left = new Promise<void>((resolve) => (leave = resolve));
    server.addHandler('endless', () =>
      Promise.resolve(
        interval(5).pipe(
          map((n) => ({ n })),
          finalize(() => leave()),
        ),
      ),
    );
    return { args: ['stream', `127.0.0.1:${portOf(server)}`, 'endless', '--json'], left };
  }

  it('ends at SIGINT with the exit code 130, and the handler ends', async () => {
    const { args, left } = await startEndless();
    const running = new Running(args, { env: { SEALWIRE_KEY_FILE: writeKey(key) } });
    await once(running.child.stdout, 'data');
    running.child.kill('SIGINT');
    expect(await running.end()).toMatchObject({ status: 130, stderr: '' });
    await left;
  });

  it('ends without an error if nobody reads its output', async () => {
    const { args, left } = await startEndless();
    const running = new Running(args, { env: { SEALWIRE_KEY_FILE: writeKey(key) } });
    await once(running.child.stdout, 'data');
    running.child.stdout.destroy();
    expect(await running.end()).toMatchObject({ status: 0, stderr: '' });
    await left;
  });

  it('ends at its timeout', async () => {
    const { args } = await startEndless();
    const run = await withKey([...args, '--timeout', '5000']);
    expect(run.status).toBe(1);
    expect(run.stdout).toMatch(/\{"error":\{"code":"ERR_REQUEST_TIMEOUT"/);
  });
});

describe('the failures of a connection', () => {
  it('name the key and the service that the server may not have', async () => {
    const at = `127.0.0.1:${portOf(await startServer())}`;
    const other = generateKey();
    const wrongKey = await sealwire(['ping', at, '--key', writeKey(other)]);
    expect(wrongKey).toEqual(failed(new RegExp(`does not accept the key ${SecretKey.fromBytes(other).id}.*ERR_ALERT`)));
    expect(await withKey(['ping', at, '--service', 'billing'])).toEqual(
      failed(/has another service name than "billing".*ERR_ALERT/),
    );
    const json = await withKey(['ping', at, '--service', 'billing', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ error: { code: 'ERR_ALERT' } });
  });

  it('say that nothing is listening, or that there is no socket', async () => {
    const { port } = await freePorts('port');
    expect(await withKey(['ping', `127.0.0.1:${port}`])).toEqual(
      failed(/nothing is listening there.*ERR_CONNECT_FAILED/),
    );
    expect(await withKey(['ping', `unix:${newDirectory()}/none`])).toEqual(
      failed(/no such socket.*ERR_CONNECT_FAILED/),
    );
  });

  it.each([
    ['another version', Buffer.from('e1534c570202004c', 'hex')],
    ['another program', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ])('say that %s listens there', async (_, answer) => {
    const port = await startOther(answer);
    expect(await withKey(['ping', `127.0.0.1:${port}`])).toEqual(
      failed(/version 1 of this protocol.*ERR_HANDSHAKE_MALFORMED/),
    );
  });

  it('say that a server which says nothing did not answer in time', async () => {
    const port = await startOther(Buffer.of());
    const run = await withKey(['ping', `127.0.0.1:${port}`, '--timeout', '2000']);
    expect(run).toEqual(failed(/did not answer within 2000 ms.*ERR_HANDSHAKE_TIMEOUT/));
  });

  it('name a key file that is missing or wrong', async () => {
    expect(await sealwire(['ping', '127.0.0.1:1', '--key', '/none'])).toEqual(failed(/ERR_KEY_FILE_MISSING/));
    expect(await sealwire(['ping', '127.0.0.1:1', '--key', writeKey(Buffer.alloc(5))])).toEqual(
      failed(/ERR_KEY_FILE_LENGTH/),
    );
  });
});

describe('the failures of a call', () => {
  it('say that the key may not call the pattern', async () => {
    const described = SecretKey.fromBytes(key).describedAs({ patterns: ['sum'] });
    const server = await startServer({ keyring: Keyring.of(described) });
    for (const verb of ['send', 'emit', 'stream'])
      expect(await withKey([verb, `127.0.0.1:${portOf(server)}`, 'echo', '1'])).toEqual(
        failed(new RegExp(`does not let the key ${described.id} call the pattern "echo".*ERR_FORBIDDEN`)),
      );
  });

  it('have the text of the handler, or that of Nest for a pattern without one', async () => {
    const server = await startServer();
    server.addHandler('broken', () =>
      Promise.resolve(throwError(() => ({ status: 'error', message: 'No such bill', id: 7 }))),
    );
    const at = `127.0.0.1:${portOf(server)}`;
    expect(await withKey(['send', at, 'broken'])).toEqual(failed(/No such bill.*ERR_HANDLER_FAILED/));
    const { stdout } = await withKey(['send', at, 'broken', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'ERR_HANDLER_FAILED', failure: { id: 7 } } });
    expect(await withKey(['send', at, 'nobody'])).toEqual(failed(/no matching message handler/));
  });

  it('say that a server without Nest takes raw bytes', async () => {
    const port = await startChannelServer(echo);
    const run = await withKey(['send', `127.0.0.1:${port}`, 'echo', '1']);
    expect(run).toEqual(failed(/takes raw bytes.*ERR_MESSAGE_MALFORMED/));
  });

  it('say that no answer came in time', async () => {
    const server = await startServer();
    server.addHandler('never', () => new Promise(() => undefined));
    const run = await withKey(['send', `127.0.0.1:${portOf(server)}`, 'never', '--timeout', '5000']);
    expect(run).toEqual(failed(/was not complete within 5000 ms.*ERR_REQUEST_TIMEOUT/));
  });
});

describe('a wrong call', () => {
  it.each([
    [['ping'], /SERVER is missing/],
    [['ping', '127.0.0.1'], /HOST:PORT/],
    [['ping', '127.0.0.1:0'], /HOST:PORT/],
    [['ping', '127.0.0.1:65536'], /HOST:PORT/],
    [['ping', 'unix:'], /HOST:PORT/],
    [['ping', '::1:80'], /HOST:PORT/],
    [['ping', '127.0.0.1:1', 'more'], /too many/],
    [['ping', '127.0.0.1:1', '--timeout', '1.5'], /--timeout/],
    [['ping', '127.0.0.1:1', '--timeout', '0'], /--timeout/],
    [['ping', '127.0.0.1:1', '--policy', 'lax'], /strict or mounted-secret/],
    [['send', '127.0.0.1:1'], /PATTERN is missing/],
    [['send', '127.0.0.1:1', 'p', '{bad'], /not valid JSON/],
    [['send', '127.0.0.1:1', '{bad', '1'], /PATTERN is not valid JSON/],
    [['send', '127.0.0.1:1', 'p', '-5'], /-5/],
  ] as const)('%j is refused with the exit code 2', async (args, reason) => {
    expect(await withKey(args)).toEqual(failed(reason, 2));
  });

  it('without a key names the option and the variable', async () => {
    expect(await sealwire(['ping', '127.0.0.1:1'])).toEqual(failed(/--key FILE.*SEALWIRE_KEY_FILE/, 2));
  });
});

describe('the output of a call', () => {
  it('never contains the key, and does not repeat data that is not JSON', async () => {
    const at = `127.0.0.1:${portOf(await startServer())}`;
    const hex = Buffer.from(key).toString('hex');
    const lines = [
      ['ping', at],
      ['send', at, 'echo', '1', '--json'],
      ['send', at, 'nobody'],
      ['send', at, 'echo', `{${hex}`],
      ['ping', at, '--key', hex],
      ['ping', hex],
      ['ping', at, '--service', 'x'],
    ];
    const runs = await Promise.all(lines.map((args) => withKey(args)));
    const output = runs.flatMap(({ stdout, stderr }) => [Buffer.from(stdout), Buffer.from(stderr)]);
    expect(findSecretsInOutput(output, { key })).toEqual([]);
  });
});
