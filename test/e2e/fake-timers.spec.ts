import { syncBuiltinESMExports } from 'node:module';
import { performance } from 'node:perf_hooks';
import timers from 'node:timers';

import { lastValueFrom } from 'rxjs';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';

import { SealwireRecordBuilder } from '@sealwire/transport';
import { arrived } from '../support/application.js';
import { endAll, newClient, portOf, startServer } from '../support/pair.js';

afterEach(endAll);

/** Everything that a test runner can replace in a process of its own; nothing of it goes on by itself. */
function fakeTimers(): void {
  vi.useFakeTimers({
    toFake: [
      ...(['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'clearImmediate'] as const),
      ...(['queueMicrotask', 'Date', 'performance', 'hrtime'] as const),
    ],
    now: -1,
  });
  onTestFinished(() => void vi.useRealTimers());
}

/** As Sinon does in a process without a test runner's sandbox: what modules import is replaced as well. */
function fakeModules(): void {
  const { setTimeout, clearTimeout, setImmediate } = timers;
  const real = { setTimeout, clearTimeout, setImmediate };
  fakeTimers();
  const fake = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout };
  replaceModules({ ...fake, setImmediate: globalThis.setImmediate });
  Object.defineProperty(performance, 'now', { value: () => 0, configurable: true });
  onTestFinished(() => {
    Reflect.deleteProperty(performance, 'now');
    replaceModules(real);
  });
}

function replaceModules(replacements: object): void {
  Object.assign(timers, replacements);
  syncBuiltinESMExports();
}

describe('under the fake timers of a test runner', () => {
  it('a client that was created before them has its calls answered, and is usable afterwards', async () => {
    const client = newClient(portOf(await startServer()));
    await client.connect();
    fakeTimers();
    expect(await lastValueFrom(client.send('echo', 1))).toBe(1);
    await arrived(client.emit('echo', 1));
    expect(await lastValueFrom(client.send('echo', 'x'.repeat(1_000_000)))).toHaveLength(1_000_000);
    vi.useRealTimers();
    expect(await lastValueFrom(client.send('echo', 2))).toBe(2);
  });

  it('a call that they have interrupted is answered afterwards', async () => {
    const client = newClient(portOf(await startServer()));
    await client.connect();
    fakeTimers();
    const interrupted = lastValueFrom(client.send('echo', 1));
    vi.useRealTimers();
    expect(await interrupted).toBe(1);
    expect(await lastValueFrom(client.send('echo', 2))).toBe(2);
  });

  it('a server and a client that are created under them connect, answer and close', async () => {
    fakeTimers();
    const client = newClient(portOf(await startServer()));
    expect(await lastValueFrom(client.send('echo', 1))).toBe(1);
    await client.close();
  });

  it.each([
    ['', fakeTimers],
    [', and their modules,', fakeModules],
  ])('a library that is loaded under them%s still has real timers', async (_what, fake) => {
    fake();
    vi.resetModules();
    const fresh = await import('../support/pair.js');
    onTestFinished(fresh.endAll);
    const server = await fresh.startServer();
    server.addHandler('hang', () => new Promise(() => undefined));
    const client = fresh.newClient(fresh.portOf(server));
    expect(await lastValueFrom(client.send('echo', 'x'.repeat(1_000_000)))).toHaveLength(1_000_000);
    const brief = new SealwireRecordBuilder(1).setTimeoutMs(10).build();
    await expect(lastValueFrom(client.send('hang', brief))).rejects.toMatchObject({ code: 'ERR_REQUEST_TIMEOUT' });
  });

  it('a deadline of a call expires in real time', async () => {
    const server = await startServer();
    server.addHandler('hang', () => new Promise(() => undefined));
    const client = newClient(portOf(server), { requestTimeoutMs: 10 });
    await client.connect();
    fakeTimers();
    await expect(lastValueFrom(client.send('hang', 1))).rejects.toMatchObject({ code: 'ERR_REQUEST_TIMEOUT' });
  });
});
