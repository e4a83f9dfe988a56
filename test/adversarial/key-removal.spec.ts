// Peers that have a key of the server, and lose it in the middle of what they do.
import { Keyring } from '@sealwire/crypto';
import type { SecretKey } from '@sealwire/crypto';
import type { SealwireServer, SealwireServerOptions } from '@sealwire/transport';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { outcome } from '../support/application.js';
import { LiveKeys, newKey, pskOf } from '../support/live-keys.js';
import { endAll, newClient, portOf, startServer } from '../support/pair.js';
import { RoguePeer } from '../support/rogue-peer.js';
import { asked, request } from '../support/rogue-words.js';

const REFUSED = 'refused ERR_UNKNOWN_KEY';

let kept: SecretKey;
let leaving: SecretKey;
let keys: LiveKeys;
let events: string[];
let handled: unknown[];

beforeEach(() => {
  [kept, leaving] = [newKey(), newKey()];
  keys = new LiveKeys(kept, leaving);
  events = [];
  handled = [];
});

afterEach(() => endAll());

async function start(options: Partial<SealwireServerOptions> = {}): Promise<SealwireServer> {
  const server = await startServer({ keyring: keys, ...options });
  server.addHandler('noted', (value: unknown) => Promise.resolve(void handled.push(value)));
  server.connectionEvents.subscribe((event) => {
    const code = event.type === 'opened' ? undefined : event.error?.code;
    events.push(code === undefined ? event.type : `${event.type} ${code}`);
  });
  return server;
}

/** Dials, and waits for message 2. */
async function half(server: SealwireServer): Promise<RoguePeer> {
  const rogue = await RoguePeer.dial(portOf(server));
  rogue.write(rogue.message1({}, pskOf(leaving)));
  await rogue.hears('message 2');
  return rogue;
}

describe('a handshake between message 2 and CONFIRM', () => {
  it.each<[string, () => void]>([
    ['removed', () => keys.remove(leaving)],
    ['revoked', () => keys.revoke(leaving)],
  ])('ends silently at CONFIRM if its key is %s, and no handler runs', async (_, change) => {
    const server = await start();
    const rogue = await half(server);
    change();
    rogue.say(rogue.confirm(), request(1, asked('noted', 1)));
    await rogue.left;
    expect(rogue.words).toEqual(['message 2']);
    expect(events).toEqual([REFUSED]);
    expect(handled).toEqual([]);
    expect(server.snapshot()).toMatchObject({ accepted: 0, strangers: 0, connections: 0 });
    const again = await RoguePeer.dial(portOf(server));
    again.write(again.message1({}, pskOf(leaving)));
    await again.hears('alert');
  });

  it('has the patterns that its key has at CONFIRM', async () => {
    const server = await start();
    const rogue = await half(server);
    keys.describe(leaving, { label: 'renamed', patterns: ['other'] });
    rogue.say(rogue.confirm(), request(1, asked('noted', 1)));
    await rogue.hears('ERROR 1 ERR_FORBIDDEN');
    expect(handled).toEqual([]);
    rogue.leave();
    await rogue.left;
  });

  it('fails if the source throws at CONFIRM, and the server goes on', async () => {
    const server = await start();
    const rogue = await half(server);
    keys.onFind = () => {
      throw new Error('the vault is sealed');
    };
    rogue.say(rogue.confirm());
    await rogue.left;
    expect(events).toEqual(['refused ERR_INTERNAL']);
    keys.onFind = () => undefined;
    expect(await outcome(newClient(portOf(server), { keyring: Keyring.of(kept) }).send('echo', 1))).toBe(1);
  });
});

describe('a client with a removed key that does not answer GOAWAY', () => {
  it('is still answered until the drain deadline, and then its connection ends', async () => {
    const server = await start({ timeouts: { drainMs: 1_000, closeMs: 200 } });
    const rogue = await half(server);
    rogue.say(rogue.confirm(), request(1, asked('echo', 1)));
    await rogue.hears('NEXT 1');
    const startMs = performance.now();
    keys.remove(leaving);
    await rogue.hears('GOAWAY');
    rogue.say(request(2, asked('echo', 2)));
    await rogue.hears('NEXT 2');
    await rogue.hears('CLOSE');
    await expect.poll(() => events.at(-1)).toMatch(/^closed/);
    expect(performance.now() - startMs).toBeGreaterThan(900);
    expect(server.snapshot().connections).toBe(0);
  });
});

describe('a client whose key is revoked', () => {
  it('gets no further byte, and none of its later messages is handled', async () => {
    const server = await start();
    const rogue = await half(server);
    rogue.say(rogue.confirm(), request(1, asked('echo', 1)));
    await rogue.hears('NEXT 1');
    const before = [...rogue.words];
    keys.revoke(leaving);
    expect(events).toEqual(['opened', 'closed ERR_KEY_REVOKED']);
    rogue.say(request(2, asked('noted', 2)));
    await rogue.left;
    expect(rogue.words).toEqual(before);
    expect(handled).toEqual([]);
    expect(server.snapshot().connections).toBe(0);
  });
});
