// What holds on every broker: permissions by key, rotation under load, a replay store that fails or is slow, and the end of
// a server or a client whose requests run.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';

import { Logger } from '@nestjs/common';
import type { BrokerCallMessage, SealedContext, SealOptions } from '@sealwire/brokers';
import { clock } from '@sealwire/channel/internal';
import { Keyring } from '@sealwire/crypto';
import type { ReplayStore } from '@sealwire/envelope';
import { lastValueFrom, of, retry, Subject, take, throwError, timeout } from 'rxjs';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';

import { LiveKeys, newKey } from '../../support/live-keys.js';
import { IS_NEST_11 } from '../conformance/nest-version.js';
import { isMissing, skipNote } from '../engines/engine.js';
import { listening } from '../hostile/hostile-broker.js';
import type { HostileClient, HostileServer } from '../hostile/hostile-broker.js';
import type { RunningSealedBroker, SealedBroker } from './sealed-broker.js';

const ATTEMPT = { count: 60, delay: 100 };
const ATTEMPT_MS = 2000;
const BATCH = 300;
/** The greatest number of messages that wait for a replay store. */
const MAX_WAITING = 10_000;
const FORBIDDEN = { status: 'error', code: 'ERR_FORBIDDEN' };
const OVERLOADED = { status: 'error', code: 'ERR_OVERLOADED' };

/** Tests that keys, replay stores and ends of a sealed transport behave as on every other one. */
export function holdsKeys(broker: SealedBroker): void {
  describe.skipIf(isMissing(broker.kind))(`The keys of ${broker.name}${skipNote(broker.kind)}`, () => {
    const ends: { close(): unknown }[] = [];
    const handled: unknown[] = [];
    let late: Subject<string>;
    let running: RunningSealedBroker;

    async function serve(seal: Partial<SealOptions>): Promise<HostileServer> {
      const server = await listening(running.createServer({ service: 'keys', ...seal }), {
        'keys.echo': (data: unknown) => {
          handled.push(data);
          return Promise.resolve(of(data));
        },
        'keys.fail': () => Promise.resolve(throwError(() => ({ message: 'no' }))),
        'keys.whoami': (_: unknown, context: SealedContext) => Promise.resolve(of(context.getPeer())),
        'keys.late': () => Promise.resolve(late.pipe(take(1))),
      });
      ends.push(server);
      return server;
    }

    /** Resolves with a client whose server answers. */
    async function connect(seal: Partial<SealOptions>): Promise<HostileClient> {
      const client = running.createClient({ service: 'keys', ...seal });
      ends.push(client);
      await lastValueFrom(client.send('keys.echo', 'first').pipe(timeout(ATTEMPT_MS), retry(ATTEMPT)));
      return client;
    }

    const outcome = (client: HostileClient, pattern: string, data: unknown): Promise<unknown> =>
      lastValueFrom(client.send(pattern, data)).catch((error: unknown) => error);
    const emit = (client: HostileClient, pattern: string, data: unknown): Promise<unknown> =>
      lastValueFrom(client.emit(pattern, data), { defaultValue: undefined });

    beforeAll(async () => {
      Logger.overrideLogger(false);
      running = await broker.start();
    });

    afterEach(async () => {
      vi.restoreAllMocks();
      for (const end of ends.splice(0).toReversed()) await end.close();
      handled.splice(0);
    });

    afterAll(() => running.stop());

    it('refuses messages that the patterns of the key do not cover, and counts them', async () => {
      const key = newKey({ patterns: ['keys.echo'] });
      const server = await serve({ keyring: Keyring.of(key) });
      const client = await connect({ keyring: Keyring.of(key) });
      expect(await outcome(client, 'keys.whoami', 0)).toMatchObject(FORBIDDEN);
      await emit(client, 'keys.whoami', 0);
      await expect.poll(() => server.refusals.forbidden).toBe(2);
      expect(await outcome(client, 'keys.echo', 7)).toBe(7);
    });

    it('fails no request while the key is rotated under load', async () => {
      const [first, second] = [newKey(), newKey()];
      const [ofServer, ofClient] = [new LiveKeys(first), new LiveKeys(first)];
      const server = await serve({ keyring: ofServer });
      const client = await connect({ keyring: ofClient });
      const sent: Promise<unknown>[] = [];
      const load = async (): Promise<void> => {
        const batch = Array.from({ length: BATCH }, (_, index) => outcome(client, 'keys.echo', index));
        sent.push(...batch);
        await Promise.race(batch); // the next step comes while the rest is on its way
      };
      await load();
      ofServer.add(second);
      await load();
      ofClient.use(second);
      await load();
      await Promise.all(sent); // a message of the first key is not on its way any more
      ofServer.remove(first);
      await load();
      expect((await Promise.all(sent)).filter((value) => typeof value !== 'number')).toEqual([]);
      expect(await outcome(client, 'keys.whoami', 0)).toMatchObject({ keyId: second.id });
      expect([server.refusals.key, client.refusals.key]).toEqual([0, 0]);
    });

    it('fails a request with ERR_REPLAY_STORE if the shared store fails, and runs no handler', async () => {
      const keyring = Keyring.of(newKey());
      const claim = vi.fn<ReplayStore['claim']>(() => Promise.resolve(true));
      const server = await serve({ keyring, replayStore: { claim } });
      const client = await connect({ keyring });
      claim.mockRejectedValue(new Error('The store is away'));
      expect(await outcome(client, 'keys.echo', 'refused')).toMatchObject({ code: 'ERR_REPLAY_STORE' });
      await emit(client, 'keys.echo', 'refused');
      await expect.poll(() => server.refusals.store).toBe(2);
      claim.mockResolvedValue(true);
      expect(await outcome(client, 'keys.echo', 'served')).toBe('served');
      expect(handled).not.toContain('refused');
    });

    it('fails requests with ERR_OVERLOADED if too many wait for the shared store, and serves those that wait', async () => {
      const keyring = Keyring.of(newKey());
      let answerClaims: (isFirst: boolean) => void = () => undefined;
      const claims = new Promise<boolean>((resolve) => (answerClaims = resolve));
      const claim = vi.fn<ReplayStore['claim']>(() => Promise.resolve(true));
      await serve({ keyring, replayStore: { claim } });
      const client = await connect({ keyring });
      claim.mockImplementation(() => claims);
      vi.spyOn(clock, 'setTimeout').mockImplementation(() => setTimeout(() => undefined));
      const waiting = Array.from({ length: MAX_WAITING }, (_, index) => outcome(client, 'keys.echo', index));
      await expect.poll(() => claim.mock.calls.length, { timeout: 60_000 }).toBeGreaterThanOrEqual(MAX_WAITING);
      expect(await outcome(client, 'keys.echo', 'too much')).toMatchObject(OVERLOADED);
      answerClaims(true);
      expect((await Promise.all(waiting)).filter((value) => typeof value !== 'number')).toEqual([]);
      expect(handled).not.toContain('too much');
    });

    it('publishes the calls of both ends on node:diagnostics_channel', async () => {
      const key = newKey({ patterns: ['keys.echo', 'keys.fail'] });
      await serve({ keyring: Keyring.of(key) });
      const client = await connect({ keyring: Keyring.of(key) });
      const { started, ended } = observeCalls();
      await outcome(client, 'keys.echo', 'text');
      await outcome(client, 'keys.fail', 0);
      await outcome(client, 'keys.whoami', 0);
      await emit(client, 'keys.echo', 'event');
      await expect.poll(() => ended.length).toBe(7);
      const seenBy = (side: string) => ended.filter((call) => call.side === side);
      expect(seenBy('client')).toMatchObject([
        { outcome: 'end', kind: 'request', pattern: 'keys.echo', isCancelled: false, code: undefined },
        { outcome: 'failed', kind: 'request', pattern: 'keys.fail', code: undefined },
        { outcome: 'failed', kind: 'request', pattern: 'keys.whoami', code: 'ERR_FORBIDDEN' },
        { outcome: 'end', kind: 'event', pattern: 'keys.echo' },
      ]);
      expect(seenBy('server')).toMatchObject([
        { outcome: 'end', kind: 'request', pattern: 'keys.echo', isCancelled: false, code: undefined },
        { outcome: 'failed', kind: 'request', pattern: 'keys.fail', code: undefined },
        { outcome: 'end', kind: 'event', pattern: 'keys.echo' },
      ]);
      expect(started).toHaveLength(7);
      const allowed = seenBy('client').filter(({ pattern }) => pattern !== 'keys.whoami');
      expect(allowed.map(({ bytes }) => bytes)).toEqual(seenBy('server').map(({ bytes }) => bytes));
      for (const { bytes, durationMs } of ended) {
        expect(bytes).toBeGreaterThan(0);
        expect(durationMs).toBeGreaterThanOrEqual(0);
      }
    });

    it('publishes a call as cancelled if its caller unsubscribes', async () => {
      const keyring = Keyring.of(newKey());
      late = new Subject();
      await serve({ keyring });
      const client = await connect({ keyring });
      const { ended } = observeCalls();
      const subscription = client.send('keys.late', 0).subscribe();
      await expect.poll(() => late.observed).toBe(true);
      subscription.unsubscribe();
      expect(ended).toMatchObject([{ outcome: 'end', side: 'client', isCancelled: true }]);
      late.next('after the end');
    });

    it('survives the end of a server whose requests run, and another server serves on', async () => {
      const keyring = Keyring.of(newKey());
      late = new Subject();
      const server = await serve({ keyring });
      const client = await connect({ keyring });
      void outcome(client, 'keys.late', 0); // it gets no answer
      await expect.poll(() => late.observed).toBe(true);
      ends.splice(ends.indexOf(server), 1);
      await server.close();
      late.next('too late');
      await serve({ keyring });
      const call = client.send('keys.echo', 'next').pipe(timeout(ATTEMPT_MS), retry(ATTEMPT));
      expect(await lastValueFrom(call)).toBe('next');
    });

    // As with Nest's own transports.
    const pending = IS_NEST_11 ? ' (skipped: the clients of Nest 11 leave them pending)' : '';
    it.skipIf(IS_NEST_11)(`fails the requests that run when their client is closed${pending}`, async () => {
      const keyring = Keyring.of(newKey());
      late = new Subject();
      await serve({ keyring });
      const client = await connect({ keyring });
      const call = outcome(client, 'keys.late', 0);
      await expect.poll(() => late.observed).toBe(true);
      await client.close();
      expect(await call).toMatchObject({ message: expect.stringMatching(/closed/i) });
      late.next('too late');
    });
  });
}

type EndedCall = BrokerCallMessage & { readonly outcome: 'end' | 'failed' };

/** Returns the calls that start and end until the test has finished. */
function observeCalls(): { readonly started: readonly BrokerCallMessage[]; readonly ended: readonly EndedCall[] } {
  const started: BrokerCallMessage[] = [];
  const ended: EndedCall[] = [];
  const observe = (name: string, listener: (call: BrokerCallMessage) => void): void => {
    const listen = (message: unknown): void => listener(message as BrokerCallMessage);
    subscribe(`sealwire:broker:call:${name}`, listen);
    onTestFinished(() => void unsubscribe(`sealwire:broker:call:${name}`, listen));
  };
  observe('start', (call) => started.push(call));
  for (const outcome of ['end', 'failed'] as const) observe(outcome, (call) => ended.push({ ...call, outcome }));
  return { started, ended };
}
