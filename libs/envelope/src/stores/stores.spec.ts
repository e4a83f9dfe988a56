import { describe, expect, it } from 'vitest';

import { MemoryReplayStore, NatsReplayStore, RedisReplayStore } from '../index.js';
import type { ReplayStore } from '../index.js';

const ID = '0b56bfc1696f34ec.sLGys7S1tre4ubq7vL2-vw.0';

/** As Redis answers `SET … NX`. */
class FakeRedis {
  readonly commands: (readonly string[])[] = [];
  readonly #keys = new Set<string>();

  answer(command: readonly string[]): Promise<unknown> {
    this.commands.push(command);
    const [, key = ''] = command;
    if (this.#keys.has(key)) return Promise.resolve(null);
    this.#keys.add(key);
    return Promise.resolve('OK');
  }
}

/** As the bucket of a client answers `create`. */
function fakeBucket(exists: () => Error) {
  const keys = new Set<string>();
  return {
    create: (key: string): Promise<number> => {
      if (keys.has(key)) return Promise.reject(exists());
      keys.add(key);
      return Promise.resolve(keys.size);
    },
  };
}

const ioredis = new FakeRedis();
const nodeRedis = new FakeRedis();

describe.each<[string, ReplayStore]>([
  ['memory', new MemoryReplayStore()],
  ['ioredis', new RedisReplayStore({ call: (...command) => ioredis.answer(command) })],
  ['redis', new RedisReplayStore({ sendCommand: (command) => nodeRedis.answer(command) }, 'mine:')],
  ['@nats-io/kv', new NatsReplayStore(fakeBucket(() => Object.assign(new Error('exists'), { code: 10_071 })))],
  [
    'nats 2',
    new NatsReplayStore(
      fakeBucket(() => Object.assign(new Error('exists'), { code: '400', api_error: { err_code: 10_071 } })),
    ),
  ],
])('a replay store of %s', (_name, store) => {
  it('gives an id to the first claim alone', async () => {
    const claims = await Promise.all([1, 2, 3].map(() => store.claim(ID, 120_000)));
    expect(claims).toEqual([true, false, false]);
    expect(await store.claim(`${ID}1`, 120_000)).toBe(true);
  });
});

describe('RedisReplayStore', () => {
  it('claims by one command that sets and expires', () => {
    expect(ioredis.commands[0]).toEqual(['SET', `sealwire:jti:${ID}`, '', 'NX', 'PX', '120000']);
    expect(nodeRedis.commands[0]).toEqual(['SET', `mine:${ID}`, '', 'NX', 'PX', '120000']);
  });

  it('rejects if Redis fails, so that the message is refused', async () => {
    const cause = new Error('Connection is closed.');
    const store = new RedisReplayStore({ call: () => Promise.reject(cause) });
    await expect(store.claim(ID, 1)).rejects.toMatchObject({ code: 'ERR_ENVELOPE_STORE', cause });
  });
});

describe('NatsReplayStore', () => {
  it('rejects if NATS fails, so that the message is refused', async () => {
    for (const cause of [new Error('timeout'), undefined, Object.assign(new Error('denied'), { code: 403 })]) {
      const store = new NatsReplayStore({ create: () => Promise.reject(cause) });
      await expect(store.claim(ID, 1)).rejects.toMatchObject({ code: 'ERR_ENVELOPE_STORE', cause });
    }
  });
});

describe('MemoryReplayStore', () => {
  it('gives an id again after its time', async () => {
    const store = new MemoryReplayStore();
    expect(await store.claim(ID, 0)).toBe(true);
    expect(await store.claim(ID, 120_000)).toBe(true);
    expect(await store.claim(ID, 120_000)).toBe(false);
  });
});
