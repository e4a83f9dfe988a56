// The attacks of the console page with SEALWIRE_BROKER: both apps are processes, on a real NATS server.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { post } from '../../support/http-call.js';
import { AppProcesses } from '../../support/app-process.js';
import { Engine, isMissing, skipNote } from '../engines/engine.js';
import { NATS } from '../engines/nats.js';

interface Played {
  readonly isRefused: boolean;
  readonly texts: Readonly<Record<string, string>>;
}

describe.skipIf(isMissing(NATS))(`an attack of the console page through NATS${skipNote(NATS)}`, () => {
  const apps = new AppProcesses();
  let engine: Engine;
  let env: { readonly SEALWIRE_BROKER: string };
  let url: string;

  beforeAll(async () => {
    engine = await Engine.start(NATS);
    env = { SEALWIRE_BROKER: engine.url };
    await (await apps.start('server', env)).ready(); // makes the key
    const client = await apps.start('client', { ...env, WIRE_TAP: 'true' });
    url = (await client.ready())['trigger'] ?? '';
  });

  afterAll(async () => {
    await apps.end();
    await engine.stop();
  });

  async function play(attack: string): Promise<Played> {
    const { status, json } = await post(`${url}/console/attacks/${attack}`);
    expect({ status, json }).toMatchObject({ status: 200, json: { attack } });
    const { isRefused, facts } = json as Pick<Played, 'isRefused'> & { readonly facts: readonly Fact[] };
    return { isRefused, texts: Object.fromEntries(facts.map(({ name, text }) => [name, text])) };
  }

  it.each([
    [
      'flip',
      {
        Attack: /^One bit of byte \d+ of \d+ bytes of the ciphertext: [0-9a-f]{2} became [0-9a-f]{2}\.$/,
        Caller: /^ERR_DEADLINE: /,
        Server: /^It sent no answer\.$/,
        Counters:
          /^In the counters of 1 of the servers, tag rose from \d+ to \d+, and the handled calls of echo went from (\d+) to \1\.$/,
      },
    ],
    [
      'replay',
      {
        Attack: /^An envelope of \d+ bytes, answered in [\d.]+ ms, was sent a second time\.$/,
        Server: /^It sent no answer\.$/,
        Counters:
          /^In the counters of 1 of the servers, replay rose from \d+ to \d+, and the handled calls of echo went from \d+ to \d+\.$/,
      },
    ],
    [
      'cut',
      {
        Attack: /^An envelope of \d+ bytes, the second value of a stream, was dropped:$/,
        Caller: /^Of the 4 values it got 1, and then: ERR_ANSWER_INCOMPLETE: /,
        Counters:
          /^In the counters of 1 of the servers, the failures did not change, and the handled calls of echo went from (\d+) to \1\.$/,
      },
    ],
  ] as const)('has no effect, and is counted: %s', async (name, expected) => {
    const { isRefused, texts } = await play(name);
    expect(isRefused).toBe(true);
    for (const [fact, text] of Object.entries(expected)) expect(texts[fact]).toMatch(text);
    for (const fact of ['Before', 'Afterwards']) expect(texts[fact]).toMatch(/answered in/);
  });

  it('that replays an envelope reaches another server of the queue, and says what prevents that', async () => {
    await (await apps.start('server', env)).ready();
    await vi.waitFor(
      async () => {
        const { isRefused, texts } = await play('replay');
        expect(isRefused).toBe(false);
        expect(texts['Server']).toBe('It sent an answer.');
        expect(texts['Reason']).toContain('share a replay store');
        expect(texts['Counters']).toMatch(/^In the counters of 2 of the servers, the failures did not change,/);
      },
      { timeout: 60_000, interval: 0 },
    );
  });
});

interface Fact {
  readonly name: string;
  readonly text: string;
}
