import { createCipheriv, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { Keyring, SecretKey } from '@sealwire/crypto';
import { bufferCount, firstValueFrom, NEVER, Subject, throwError } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { closed, LegacyBench, legacyPortOf, listenLegacy } from '../../../../../test/support/legacy.js';
import { LiveKeys, newKey } from '../../../../../test/support/live-keys.js';
import type { LegacyContext } from '../index.js';
import { MAX_CIPHERTEXT_BYTES } from '../wire/message.js';

let bench: LegacyBench;

beforeEach(() => {
  bench = new LegacyBench();
});

afterEach(() => bench.end());

function encrypt(plaintext: string | Uint8Array): Buffer {
  const cipher = createCipheriv('aes-128-cbc', bench.key.subarray(0, 16), bench.key.subarray(16));
  return Buffer.concat([cipher.update(plaintext), cipher.final()]);
}

describe('LegacyServer', () => {
  it('passes a message to the handler of its pattern, with its details', async () => {
    const port = legacyPortOf(await bench.startServer());
    await bench.send(port, encrypt('Hello Server!'));
    await bench.log.logged('Handled');
    const [{ text: handled, context } = {} as never] = bench.handled;
    expect(handled).toBe('Hello Server!');
    expect(context.getPattern()).toBe('message');
    expect(context.getRemoteAddress()).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(context.getKeyId()).toBe(SecretKey.fromBytes(bench.key).id);
    expect(context.getCiphertext()).toEqual(encrypt('Hello Server!'));
  });

  it('accepts a message in two pieces, wherever it is split, and in single bytes', async () => {
    const port = legacyPortOf(await bench.startServer());
    const ciphertext = encrypt('A text of more than two blocks, to be split');
    for (let at = 1; at < ciphertext.length; at++) {
      await bench.send(port, ciphertext.subarray(0, at), ciphertext.subarray(at));
    }
    await bench.send(port, ...[...ciphertext].map((byte) => Buffer.of(byte)));
    await expect.poll(() => bench.handled.length).toBe(ciphertext.length);
    expect(new Set(bench.handled.map((handled) => handled.text))).toEqual(
      new Set(['A text of more than two blocks, to be split']),
    );
  });

  it('accepts an empty text, and the largest message', async () => {
    const port = legacyPortOf(await bench.startServer());
    const largest = 'x'.repeat(MAX_CIPHERTEXT_BYTES - 1);
    await bench.send(port, encrypt(''));
    await bench.send(port, encrypt(largest));
    await expect.poll(() => bench.handled.map((handled) => handled.text.length)).toEqual([0, largest.length]);
  });

  it.each([
    ['nothing', () => Buffer.alloc(0)],
    ['no whole blocks', () => encrypt('Hello').subarray(0, 15)],
    ['bad padding', () => encrypt('x'.repeat(16)).subarray(0, 16)],
  ])('logs one refusal for %s, sends nothing to the peer and serves the next', async (_, ciphertext) => {
    const port = legacyPortOf(await bench.startServer());
    const socket = await bench.connect(port);
    socket.end(ciphertext());
    expect(await text(socket)).toBe('');
    expect(await bench.log.logged('ERR_LEGACY_MALFORMED')).toMatch(/^Refused a legacy message from 127\.0\.0\.1:\d+: /);
    await bench.send(port, encrypt('still there'));
    await bench.log.logged('Handled still there');
    expect(bench.log.lines.filter((line) => line.includes('ERR_'))).toHaveLength(1);
  });

  it('ends the connection in the same way for a good and a bad message, before decrypting either [R9.7]', async () => {
    const port = legacyPortOf(await bench.startServer());
    for (const ciphertext of [encrypt('good'), encrypt('x'.repeat(16)).subarray(0, 16)]) {
      const socket = await bench.connect(port);
      const before = bench.log.lines.length;
      const ended = Promise.all([once(socket, 'close'), once(socket, 'end')]);
      socket.end(ciphertext);
      socket.resume();
      const [[hadError]] = await ended;
      expect(hadError).toBe(false);
      await expect.poll(() => bench.log.lines.length).toBe(before + 1);
    }
  });

  it('cuts a message of more than 1 MiB before its end [R9.4]', async () => {
    const port = legacyPortOf(await bench.startServer());
    const socket = await bench.connect(port);
    socket.write(Buffer.alloc(MAX_CIPHERTEXT_BYTES + 16));
    await closed(socket);
    await bench.log.logged('ERR_MESSAGE_TOO_LARGE');
    expect(bench.handled).toEqual([]);
  });

  it('cuts a connection without a FIN at the deadline, even if bytes keep arriving [R9.5]', async () => {
    const port = legacyPortOf(await bench.startServer({ connectionTimeoutMs: 150 }));
    const socket = await bench.connect(port);
    const dripping = setInterval(() => socket.write(Buffer.alloc(16)), 10);
    await closed(socket);
    clearInterval(dripping);
    await bench.log.logged('ERR_LEGACY_TIMEOUT');
    expect(bench.handled).toEqual([]);
  });

  it('drops an incomplete message when the connection fails', async () => {
    const server = await bench.startServer();
    // `resetAndDestroy` of a client sends FIN first: the failure is made at the server.
    server.on('connection', (accepted) => accepted.once('data', () => accepted.destroy(new Error('reset'))));
    const socket = await bench.connect(legacyPortOf(server));
    socket.write(encrypt('Hello'));
    await bench.log.logged('ERR_CONNECTION_LOST');
    expect(bench.handled).toEqual([]);
  });

  it('cuts the oldest connection when there are too many, so that a message gets through [R9.6]', async () => {
    const port = legacyPortOf(await bench.startServer({ maxConnections: 4 }));
    const silent: Socket[] = [];
    for (let count = 0; count < 20; count++) silent.push(await bench.connect(port));
    await bench.send(port, encrypt('Let me in'));
    await bench.log.logged('Handled Let me in');
    await bench.log.logged('ERR_STRANGER_EVICTED');
    expect(silent.filter(({ destroyed }) => !destroyed).length).toBeGreaterThan(0);
  });

  it('serves many concurrent connections', async () => {
    const port = legacyPortOf(await bench.startServer());
    const texts = Array.from({ length: 60 }, (_, count) => `message ${count}`);
    await Promise.all(texts.map((each) => bench.send(port, encrypt(each))));
    await expect.poll(() => bench.handled.map((handled) => handled.text).sort()).toEqual(texts.sort());
  });

  it('logs one line a second for failures of one kind, however many there are', async () => {
    const port = legacyPortOf(await bench.startServer());
    for (let count = 0; count < 30; count++) await bench.send(port, Buffer.alloc(5));
    await bench.send(port, encrypt('done'));
    await bench.log.logged('Handled done');
    expect(bench.log.lines.filter((line) => line.includes('ERR_LEGACY_MALFORMED')).length).toBeLessThan(5);
  });

  it('drops messages when the limit of running handlers is reached', async () => {
    const server = bench.newServer({ maxRunning: 2, drainTimeoutMs: 50 });
    let started = 0;
    server.addHandler('message', () => {
      started++;
      return Promise.resolve(NEVER);
    });
    await listenLegacy(server);
    for (let count = 0; count < 5; count++) await bench.send(legacyPortOf(server), encrypt('slow'));
    await bench.log.logged('ERR_OVERLOADED');
    expect(started).toBe(2);
  });

  it('waits for all handlers except those that close it', async () => {
    const server = bench.newServer({ drainTimeoutMs: 600_000 });
    const [started, release] = [new Subject<void>(), new Subject<void>()];
    const ends: string[] = [];
    const running = firstValueFrom(started.pipe(bufferCount(3)));
    server.addHandler('message', async ({ text: name }: { text: string }) => {
      started.next();
      await running;
      await (name === 'close' ? server.close() : firstValueFrom(release));
      ends.push(name);
    });
    await listenLegacy(server);
    for (const name of ['hold', 'close', 'close']) await bench.send(legacyPortOf(server), encrypt(name));
    await running;
    await nextTurn();
    expect(ends).toEqual([]);
    release.next();
    await expect.poll(() => ends).toEqual(['hold', 'close', 'close']);
    await server.close();
  });

  it('logs the failure of a handler, and continues', async () => {
    const server = bench.newServer();
    server.addHandler('message', () => Promise.resolve(throwError(() => new Error('from a stream'))));
    await listenLegacy(server);
    await bench.send(legacyPortOf(server), encrypt('x'));
    expect(await bench.log.logged('from a stream')).toBe('The handler of the event message failed: from a stream');
    expect(server.unwrap()).toMatchObject({ listening: true });
  });
});

describe('the start of a LegacyServer', () => {
  it('warns that the wire is weak [R9.1]', async () => {
    await bench.startServer();
    expect(await bench.log.logged('The legacy wire is enabled')).toMatch(
      /Nothing on it is authenticated.*replay.*equal/,
    );
  });

  it('accepts the weak key of a classroom, and warns about it', async () => {
    const keyFile = bench.writeKey('classroom.bin', Buffer.from('0123456789abcdef0123456789abcdef'));
    const warnings: string[] = [];
    await bench.startServer({ keyFile, warn: (message) => warnings.push(message) });
    expect(warnings).toEqual([expect.stringContaining('ERR_KEY_TEXT'), expect.stringContaining('The legacy wire')]);
  });

  it('is refused if the key is on the keyring of the channel, in any place [R9.3]', async () => {
    const [first, second] = [SecretKey.fromBytes(randomBytes(32)), SecretKey.fromBytes(randomBytes(32))];
    const server = bench.newServer({ channelKeyring: Keyring.of(first, second, SecretKey.fromBytes(bench.key)) });
    server.addHandler('message', () => Promise.resolve());
    await expect(listenLegacy(server)).rejects.toMatchObject({ code: 'ERR_LEGACY_KEY_SHARED', fault: 'caller' });
    expect(() => server.unwrap()).toThrow(expect.objectContaining({ code: 'ERR_NOT_CONNECTED' }));
    await expect(bench.startServer({ channelKeyring: Keyring.of(first, second) })).resolves.toBeDefined();
  });

  it('is refused without a handler for its pattern, and without a key file', async () => {
    await expect(listenLegacy(bench.newServer({ pattern: 'nobody' }))).rejects.toMatchObject({
      code: 'ERR_BAD_OPTION',
      message: expect.stringContaining('nobody'),
    });
    const keyless = bench.startServer({ keyFile: `${bench.keyFile}.missing` });
    await expect(keyless).rejects.toMatchObject({ code: 'ERR_KEY_FILE_MISSING' });
  });

  it('is refused if the port is in use', async () => {
    const port = legacyPortOf(await bench.startServer());
    await expect(bench.startServer({ port })).rejects.toMatchObject({ code: 'ERR_LISTEN_FAILED' });
  });

  it.each([
    ['port', { port: undefined as unknown as number }],
    ['port', { port: 65_536 }],
    ['connectionTimeoutMs', { connectionTimeoutMs: 0 }],
    ['maxConnections', { maxConnections: 0 }],
    ['maxRunning', { maxRunning: 1.5 }],
    ['drainTimeoutMs', { drainTimeoutMs: -1 }],
  ])('is refused by the name of an invalid option: %s %j', (name, options) => {
    expect(() => bench.newServer(options)).toThrow(
      expect.objectContaining({ code: 'ERR_BAD_OPTION', message: expect.stringContaining(`${name} is `) }),
    );
  });
});

describe('the end of a LegacyServer', () => {
  it('comes with an error in the log if its key is added to the keyring of the channel [R9.3]', async () => {
    const channelKeyring = new LiveKeys(newKey());
    const server = await bench.startServer({ channelKeyring });
    const port = legacyPortOf(server);
    channelKeyring.add(newKey());
    await bench.send(port, encrypt('Before'));
    await bench.log.logged('Handled Before');
    channelKeyring.add(SecretKey.fromBytes(bench.key));
    expect(await bench.log.logged('Closing the legacy wire')).toMatch(/make a new key.*\(ERR_LEGACY_KEY_SHARED\)$/);
    await server.close();
    await expect(bench.connect(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(channelKeyring.listenerCount).toBe(0);
  });

  it('leaves the keyring of the channel unwatched if it could not listen', async () => {
    const channelKeyring = new LiveKeys(newKey());
    const port = legacyPortOf(await bench.startServer());
    await expect(bench.startServer({ port, channelKeyring })).rejects.toMatchObject({ code: 'ERR_LISTEN_FAILED' });
    expect(channelKeyring.listenerCount).toBe(0);
  });

  it('cuts incomplete messages, and may be called again', async () => {
    const server = await bench.startServer();
    const socket = await bench.connect(legacyPortOf(server));
    await Promise.all([closed(socket), server.close()]);
    await server.close();
    expect(() => server.unwrap()).toThrow(expect.objectContaining({ code: 'ERR_NOT_CONNECTED' }));
  });

  it('waits for running handlers, and cancels those that do not finish in time', async () => {
    const server = bench.newServer({ drainTimeoutMs: 50 });
    const ended: string[] = [];
    server.addHandler('message', async ({ text: message }: { text: string }, context?: LegacyContext) => {
      bench.log.log(`Began ${message}`);
      if (message === 'endless') await once(context!.getSignal(), 'abort');
      else await new Promise((resolve) => setTimeout(resolve, 10));
      ended.push(message);
    });
    await listenLegacy(server);
    await bench.send(legacyPortOf(server), encrypt('short'));
    await bench.send(legacyPortOf(server), encrypt('endless'));
    await bench.log.logged('Began endless');
    await server.close();
    await expect.poll(() => ended).toEqual(['short', 'endless']);
  });

  it('resolves every close() as soon as the handlers end', async () => {
    const server = bench.newServer();
    const release = new Subject<void>();
    server.addHandler('message', () => {
      bench.log.log('Began');
      return Promise.resolve(release);
    });
    await listenLegacy(server);
    await bench.send(legacyPortOf(server), encrypt('x'));
    await bench.log.logged('Began');
    const closing = Promise.all([server.close(), server.close()]);
    const began = performance.now();
    setImmediate(() => release.complete());
    await closing;
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});
