// What a client of the broker that has every right, and not the key, can do to a sealed transport.
import { setImmediate as turn } from 'node:timers/promises';

import { Logger } from '@nestjs/common';
import { clock } from '@sealwire/crypto/internal';
import { lastValueFrom, of, retry, startWith, Subject, take, throwError, timeout } from 'rxjs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { sealing } from '../conformance/sealed.js';
import { isMissing, skipNote } from '../engines/engine.js';
import type { SeenMessage, Stranger } from '../strangers/stranger.js';
import { listening } from './hostile-broker.js';
import type { HostileBroker, HostileClient, HostileServer, RunningHostileBroker } from './hostile-broker.js';

export const ECHO = 'hostile.echo';
export const FAIL = 'hostile.fail';
export const LATE = 'hostile.late';
const SECRET = 'the account number is 4711';
const HEADER = 'the name of the tenant';
const FAILURE = 'the reason of the failure';
const ATTEMPT = { count: 60, delay: 100 };
const ATTEMPT_MS = 2000;
const BEYOND_AGE_MS = 61_000;
const WAIT_MS = 10_000;

const GARBAGE: readonly (readonly [string, Uint8Array])[] = [
  ['no bytes', Buffer.alloc(0)],
  ['bytes outside UTF-8', Buffer.of(0, 255, 128, 0)],
  ['an incomplete JSON text', Buffer.from('{"pattern":')],
  ['null', Buffer.from('null')],
  ['a plain event', Buffer.from(`{"pattern":"${ECHO}","data":"plain"}`)],
  ['a plain request', Buffer.from(`{"pattern":"${ECHO}","data":"plain","id":"1"}`)],
  ['a plain answer', Buffer.from('{"response":"plain","isDisposed":true,"id":"1"}')],
  [
    'an envelope without a key',
    Buffer.from(`${'A'.repeat(300)}..${'A'.repeat(22)}.${'A'.repeat(43)}.${'A'.repeat(22)}`),
  ],
];

/** Tests that a sealed transport resists a stranger with every right on its broker. */
export function resists(broker: HostileBroker): void {
  describe.skipIf(isMissing(broker.kind))(`${broker.name} before a stranger${skipNote(broker.kind)}`, () => {
    const handled: unknown[] = [];
    const seen: SeenMessage[] = [];
    const late = new Subject<string>();
    const seal = sealing();
    let running: RunningHostileBroker;
    let server: HostileServer;
    let client: HostileClient;
    let stranger: Stranger;

    const call = (data: unknown, pattern = ECHO): Promise<unknown> => lastValueFrom(client.send(pattern, data));
    const emit = (data: unknown): Promise<unknown> =>
      lastValueFrom(client.emit(ECHO, data), { defaultValue: undefined });
    const seenOn = (name: string): readonly SeenMessage[] => seen.filter((message) => message.name === name);
    /** Resolves with the last message under a name, if the stranger has seen more than `count`. */
    const lastOn = async (name: string, count = 0): Promise<SeenMessage> => {
      await vi.waitFor(() => expect(seenOn(name).length).toBeGreaterThan(count), { timeout: WAIT_MS });
      return seenOn(name).at(-1) ?? expect.fail();
    };
    /** Resolves with a request that was answered, when the stranger has seen both. */
    const seenCall = async (data: unknown) => {
      const { length } = seenOn(ECHO);
      await call(data);
      const request = await lastOn(ECHO, length);
      return { request, answer: await lastOn(running.answersTo(request)) };
    };
    /** Resolves with a request that waits for its answer, when its handler runs and the stranger has seen it. */
    const waitingCall = async () => {
      const { length } = seenOn(LATE);
      const answer = call('waits', LATE);
      await expect.poll(() => late.observed).toBe(true);
      return { answer, answersTo: running.answersTo(await lastOn(LATE, length)) };
    };
    const total = (end: HostileServer | HostileClient): number =>
      Object.values(end.refusals).reduce((sum, count) => sum + count, 0);

    beforeAll(async () => {
      Logger.overrideLogger(false);
      running = await broker.start();
      server = await listening(running.createServer(seal), {
        [ECHO]: (data: unknown) => {
          handled.push(data);
          return Promise.resolve(of(data));
        },
        [FAIL]: () => Promise.resolve(throwError(() => ({ message: FAILURE }))),
        // Nest's Kafka server takes the next message after the first value of an answer.
        [LATE]: () => Promise.resolve(late.pipe(take(1), startWith('begins'))),
      });
      client = running.createClient(seal);
      stranger = await running.stranger();
      await stranger.watch((message) => void seen.push(message));
      await lastValueFrom(client.send(ECHO, 'first').pipe(timeout(ATTEMPT_MS), retry(ATTEMPT)));
      await lastOn(ECHO);
    });

    beforeEach(() => void handled.splice(0));

    afterEach(() => void vi.restoreAllMocks());

    afterAll(async () => {
      await client.close();
      await server.close();
      await stranger.close();
      await running.stop();
    });

    it('shows it no text of a request, an answer, an event or an error', async () => {
      expect(await call(running.record(SECRET, HEADER))).toBe(SECRET);
      await emit(running.record(SECRET, HEADER));
      await expect(call(running.record(SECRET, HEADER), FAIL)).rejects.toMatchObject({ message: FAILURE });
      await expect.poll(() => handled).toEqual([SECRET, SECRET]);
      await expect.poll(() => seenOn(ECHO).length).toBeGreaterThan(2);
      await lastOn(running.answersTo(await lastOn(FAIL)));
      for (const { data, beside = '' } of seen) {
        for (const secret of [SECRET, HEADER, FAILURE]) {
          for (const form of [secret, ...base64Forms(secret)])
            expect(`${Buffer.from(data).toString()}${beside}`).not.toContain(form);
        }
      }
    });

    it('handles no message again that it replays', async () => {
      const { length } = seenOn(ECHO);
      await emit('once');
      await expect.poll(() => handled).toEqual(['once']);
      const event = await lastOn(ECHO, length);
      const { request } = await seenCall('called once');
      const before = server.refusals.replay;
      await stranger.publish(event);
      await stranger.publish(request);
      await expect.poll(() => server.refusals.replay).toBe(before + 2);
      expect(await call('honest')).toBe('honest');
      expect(handled).toEqual(['once', 'called once', 'honest']);
    });

    it('handles no message that it has moved to another name', async () => {
      const before = server.refusals.subject;
      const { request } = await seenCall('moved');
      await stranger.publish({ ...request, name: LATE });
      await expect.poll(() => server.refusals.subject).toBe(before + 1);
    });

    it('handles no message that it has kept beyond the age', async () => {
      const { request } = await seenCall('old');
      vi.spyOn(clock, 'unixMs').mockImplementation(() => Date.now() + BEYOND_AGE_MS);
      await stranger.publish(request);
      await expect.poll(() => server.refusals.age).toBe(1);
      expect(handled).toEqual(['old']);
    });

    it('takes the answer to another request, or a moved one, for no answer', async () => {
      const { answer: past } = await seenCall('answered before');
      const before = total(client);
      const { answer, answersTo } = await waitingCall();
      await stranger.publish({ ...past, name: answersTo });
      await expect.poll(() => client.refusals.subject).toBeGreaterThan(0);
      const own = call('beside it');
      await stranger.publish(past);
      expect(await own).toBe('beside it');
      late.next('the honest answer');
      expect(await answer).toBe('the honest answer');
      expect(total(client)).toBeGreaterThan(before);
    });

    it.each(GARBAGE)('survives %s in place of a request and of an answer', async (_, data) => {
      const { answer, answersTo } = await waitingCall();
      const before = [total(server), client.refusals.form] as const;
      await stranger.publish({ name: ECHO, data });
      await stranger.publish({ name: answersTo, data });
      await expect.poll(() => total(server)).toBe(before[0] + 1);
      await expect.poll(() => client.refusals.form).toBe(before[1] + 1);
      await turn();
      expect(handled).toEqual([]);
      expect(await call('honest')).toBe('honest');
      late.next('answered');
      expect(await answer).toBe('answered');
    });
  });
}

/** The three texts that contain the inner part of a secret in base64, whatever comes before it. */
function base64Forms(secret: string): readonly string[] {
  return [0, 1, 2].map((shift) =>
    Buffer.from(`${' '.repeat(shift)}${secret}`)
      .toString('base64url')
      .slice(4, -4),
  );
}
