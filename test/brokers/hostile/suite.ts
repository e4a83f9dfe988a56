// What a client of the broker that has every right, and not the key, can do to a sealed transport.
import { setImmediate as turn } from 'node:timers/promises';

import { Logger } from '@nestjs/common';
import { firstValueFrom, lastValueFrom, of, retry, Subject, take, timeout } from 'rxjs';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { sealing } from '../conformance/sealed.js';
import { isMissing, skipNote } from '../engines/engine.js';
import { listening } from './hostile-broker.js';
import type {
  HostileBroker,
  HostileClient,
  HostileServer,
  RunningHostileBroker,
  SeenMessage,
  Stranger,
} from './hostile-broker.js';

const ECHO = 'hostile.echo';
const LATE = 'hostile.late';
const SECRET = 'the account number is 4711';
const HEADER = 'the name of the tenant';
const ATTEMPT = { count: 60, delay: 100 };
const ATTEMPT_MS = 2000;
const MAX_AGE_MS = 5000;
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
    const late = new Subject<string>();
    const seal = { ...sealing(), maxAgeMs: MAX_AGE_MS };
    let running: RunningHostileBroker;
    let server: HostileServer;
    let client: HostileClient;
    let stranger: Stranger;

    const call = (data: unknown): Promise<unknown> => lastValueFrom(client.send(ECHO, data));
    const emit = (data: unknown): Promise<unknown> =>
      lastValueFrom(client.emit(ECHO, data), { defaultValue: undefined });
    /** Resolves with the last message of a channel that the stranger has seen. */
    const seenOn = async (name: string): Promise<SeenMessage> => {
      const last = () => stranger.seen.findLast((message) => message.name === name);
      await vi.waitFor(() => expect(last()).toBeDefined(), { timeout: WAIT_MS });
      return last() ?? expect.fail();
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
        [LATE]: () => Promise.resolve(late.pipe(take(1))),
      });
      client = running.createClient(seal);
      stranger = await running.stranger();
      await lastValueFrom(client.send(ECHO, 'first').pipe(timeout(ATTEMPT_MS), retry(ATTEMPT)));
      await seenOn(running.answersTo(ECHO));
    });

    beforeEach(() => void handled.splice(0));

    afterAll(async () => {
      await client.close();
      await server.close();
      await stranger.close();
      await running.stop();
    });

    it('shows it no text of a request, an answer or an event', async () => {
      expect(await call(running.record(SECRET, HEADER))).toBe(SECRET);
      await emit(running.record(SECRET, HEADER));
      await expect.poll(() => handled).toEqual([SECRET, SECRET]);
      await expect.poll(() => stranger.seen.filter(({ name }) => name === ECHO).length).toBeGreaterThan(2);
      for (const { data, beside = '' } of stranger.seen) {
        for (const secret of [SECRET, HEADER]) {
          for (const form of [secret, ...base64Forms(secret)])
            expect(`${data.toString()}${beside}`).not.toContain(form);
        }
      }
    });

    it('handles no message again that it replays', async () => {
      await emit('once');
      await expect.poll(() => handled).toEqual(['once']);
      const before = server.refusals.replay;
      await stranger.publish(ECHO, (await seenOn(ECHO)).data);
      await expect.poll(() => server.refusals.replay).toBe(before + 1);
      expect(await call('honest')).toBe('honest');
      expect(handled).toEqual(['once', 'honest']);
    });

    it('handles no message that it has moved to another name', async () => {
      const before = server.refusals.subject;
      await call('moved');
      await stranger.publish(LATE, (await seenOn(ECHO)).data);
      await expect.poll(() => server.refusals.subject).toBe(before + 1);
    });

    it('handles no message that it has kept beyond the age', async () => {
      await call('old');
      const { data } = await seenOn(ECHO);
      const isTooOld = async (): Promise<number> => {
        await stranger.publish(ECHO, data);
        return server.refusals.age;
      };
      await expect.poll(isTooOld, { timeout: 60_000, interval: 200 }).toBeGreaterThan(0);
      expect(handled).toEqual(['old']);
    });

    it('takes the answer to another request, or a moved one, for no answer', async () => {
      await call('answered before');
      const { data } = await seenOn(running.answersTo(ECHO));
      const before = total(client);
      const answer = firstValueFrom(client.send(LATE, 'waits'));
      await expect.poll(() => late.observed).toBe(true);
      await stranger.publish(running.answersTo(LATE), data);
      await expect.poll(() => client.refusals.subject).toBeGreaterThan(0);
      const own = call('beside it');
      await stranger.publish(running.answersTo(ECHO), data);
      expect(await own).toBe('beside it');
      late.next('the honest answer');
      expect(await answer).toBe('the honest answer');
      expect(total(client)).toBeGreaterThan(before);
    });

    it.each(GARBAGE)('survives %s in place of a request and of an answer', async (_, data) => {
      const answer = firstValueFrom(client.send(LATE, 'waits'));
      await expect.poll(() => late.observed).toBe(true);
      const before = [total(server), client.refusals.form] as const;
      await stranger.publish(ECHO, data);
      await stranger.publish(running.answersTo(LATE), data);
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
