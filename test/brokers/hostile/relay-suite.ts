// What a broker can do that holds back, drops and swaps messages. The client and the server have a broker each, and a
// stranger without the key is the only way between the two.
import { Logger } from '@nestjs/common';
import { clock } from '@sealwire/crypto/internal';
import { firstValueFrom, from, lastValueFrom, of, retry, tap, timeout } from 'rxjs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { sealing } from '../conformance/sealed.js';
import { isMissing, skipNote } from '../engines/engine.js';
import { Relay } from '../strangers/relay.js';
import type { SeenMessage } from '../strangers/stranger.js';
import { listening } from './hostile-broker.js';
import type { HostileBroker, HostileClient, HostileServer, RunningHostileBroker } from './hostile-broker.js';

export const RELAYED_ECHO = 'relayed.echo';
export const RELAYED_COUNT = 'relayed.count';
const ATTEMPT = { count: 60, delay: 100 };
const ATTEMPT_MS = 2000;
const VALUES = ['one', 'two', 'three', 'four'];
const BEYOND_AGE_MS = 61_000;
const INCOMPLETE = { code: 'ERR_ANSWER_INCOMPLETE' };

/** Tests that a sealed transport resists a broker that passes on what it likes. */
export function resistsRelay(broker: HostileBroker): void {
  describe.skipIf(isMissing(broker.kind))(`${broker.name} through a hostile relay${skipNote(broker.kind)}`, () => {
    const handled: unknown[] = [];
    const seal = sealing();
    let ofServer: RunningHostileBroker;
    let ofClient: RunningHostileBroker;
    let server: HostileServer;
    let client: HostileClient;
    let relay: Relay;

    const call = (data: unknown): Promise<unknown> => firstValueFrom(client.send(RELAYED_ECHO, data));
    /** Keeps the messages for one end, and returns them. */
    const hold = (end: 'client' | 'server'): readonly SeenMessage[] => {
      const held: SeenMessage[] = [];
      relay.passOn = (message, to) => (to === end ? (held.push(message), []) : [message]);
      return held;
    };

    beforeAll(async () => {
      Logger.overrideLogger(false);
      [ofServer, ofClient] = await Promise.all([broker.start(), broker.start()]);
      server = await listening(ofServer.createServer(seal), {
        [RELAYED_ECHO]: (data: unknown) => {
          handled.push(data);
          return Promise.resolve(of(data));
        },
        [RELAYED_COUNT]: () => Promise.resolve(from(VALUES)),
      });
      relay = await Relay.between({ client: await ofClient.stranger(), server: await ofServer.stranger() });
      client = ofClient.createClient(seal);
      await lastValueFrom(client.send(RELAYED_ECHO, 'first').pipe(timeout(ATTEMPT_MS), retry(ATTEMPT)));
    });

    beforeEach(() => {
      relay.passOn = (message) => [message];
      handled.splice(0);
    });

    afterEach(() => void vi.restoreAllMocks());

    afterAll(async () => {
      await client.close();
      await server.close();
      await relay.close();
      await Promise.all([ofServer.stop(), ofClient.stop()]);
    });

    it.each([0, 1, 2])('fails a stream whose value %i it drops, and the caller gets no value after it', async (at) => {
      let count = 0;
      relay.passOn = (message, to) => (to === 'client' && count++ === at ? [] : [message]);
      const values: string[] = [];
      const stream = client.send<string>(RELAYED_COUNT, 0).pipe(tap((value) => values.push(value)));
      await expect(lastValueFrom(stream)).rejects.toMatchObject(INCOMPLETE);
      expect(values.length).toBeLessThanOrEqual(at);
      expect(values).toEqual(VALUES.slice(0, values.length));
      expect(await call('honest')).toBe('honest');
    });

    it('gives no caller the answer of another, if it swaps two', async () => {
      const answers = hold('client');
      const [one, two] = [call('one'), call('two')];
      await expect.poll(() => answers.length).toBe(2);
      const [first, second] = answers as [SeenMessage, SeenMessage];
      const before = client.refusals.subject;
      await relay.deliver({ ...first, name: second.name }, 'client');
      await relay.deliver({ ...second, name: first.name }, 'client');
      if (first.name !== second.name) await expect.poll(() => client.refusals.subject).toBe(before + 2);
      await relay.deliver(first, 'client');
      await relay.deliver(second, 'client');
      expect(await Promise.all([one, two])).toEqual(['one', 'two']);
    });

    it('handles no message that it has held back beyond the age, and takes no such answer', async () => {
      const requests = hold('server');
      void call('late').catch(() => 'no answer');
      await expect.poll(() => requests.length).toBe(1);
      const answers = hold('client');
      void call('answered late').catch(() => 'no answer');
      await expect.poll(() => answers.length).toBe(1);
      const [request, answer] = [...requests, ...answers] as [SeenMessage, SeenMessage];
      vi.spyOn(clock, 'unixMs').mockImplementation(() => Date.now() + BEYOND_AGE_MS);
      await relay.deliver(request, 'server');
      await relay.deliver(answer, 'client');
      await expect.poll(() => [server.refusals.age, client.refusals.age]).toEqual([1, 1]);
      expect(handled).toEqual(['answered late']);
    });

    it('makes callers wait if it drops a request or the end of an answer, and does nothing else', async () => {
      const requests = hold('server');
      const lost = client.send(RELAYED_ECHO, 'lost').pipe(timeout(ATTEMPT_MS));
      await expect(lastValueFrom(lost)).rejects.toThrow('Timeout');
      expect(requests).toHaveLength(1);
      expect(handled).toEqual([]);
    });
  });
}
