import { getHeapStatistics } from 'node:v8';

import { describe, expect, it } from 'vitest';

import { ChannelClient } from '../client/channel-client.js';
import { createChannelServer } from '../server/plain-server.js';
import type { ChannelClientOptions } from './channel-options.js';
import { resolveLimits } from './limits.js';

const bad = (name: string): unknown =>
  expect.objectContaining({ code: 'ERR_BAD_OPTION', message: expect.stringContaining(name) as string });

describe('limits', () => {
  it('have the defaults of the protocol', () => {
    expect(resolveLimits({})).toMatchObject({
      maxMessageBytes: 8_388_608,
      maxInFlight: 1_024,
      pingIntervalMs: 30_000,
      pongTimeoutMs: 60_000,
      drainTimeoutMs: 10_000,
    });
  });

  it('leave room next to the largest message by default', () => {
    const maxMessageBytes = 128 * 1_048_576;
    const room = { maxIncompleteBytes: 2 * maxMessageBytes, maxQueuedBytes: 2 * maxMessageBytes };
    expect(resolveLimits({ maxMessageBytes })).toMatchObject(room);
    expect(resolveLimits({ maxMessageBytes: 0xffff_ffff })).toMatchObject({ maxIncompleteBytes: 0xffff_ffff });
    expect(resolveLimits({ maxMessageBytes, maxQueuedBytes: 65_536 })).toMatchObject({ maxQueuedBytes: 65_536 });
    expect(resolveLimits({ maxMessageBytes: 65_536 })).toMatchObject({ maxQueuedBytes: 64 * 1_048_576 });
  });

  it.each(['recordTimeoutMs', 'messageTimeoutMs', 'writeTimeoutMs', 'pingIntervalMs', 'pongTimeoutMs'])(
    'disable %s with 0',
    (name) => {
      expect(resolveLimits({ [name]: 0 })).toMatchObject({ [name]: Infinity });
    },
  );

  it.each([
    ['maxMessageBytes', 65_535],
    ['maxInFlight', 0],
    ['maxStrangers', -1],
    ['connectTimeoutMs', 0],
    ['handshakeTimeoutMs', 0],
    ['closeTimeoutMs', 0],
    ['sessionHardAgeMs', 0],
    ['pingIntervalMs', Infinity],
    ['writeTimeoutMs', 1.5],
    ['recordTimeoutMs', NaN],
    ['sessionSoftAgeMs', 2 ** 31],
  ])('reject %s of %d by name', (name, value) => {
    expect(() => resolveLimits({ [name]: value })).toThrow(bad(name));
  });

  it('bound the memory of incomplete messages by the heap, and never below one message', () => {
    const quarter = Math.floor(getHeapStatistics().heap_size_limit / 4);
    expect(resolveLimits({})).toMatchObject({ maxIncompleteBytesTotal: quarter });
    const maxIncompleteBytes = 0xffff_ffff;
    expect(resolveLimits({ maxIncompleteBytes }).maxIncompleteBytesTotal).toBe(Math.max(quarter, maxIncompleteBytes));
    const tooLittle = { maxMessageBytes: 131_072, maxIncompleteBytesTotal: 131_071 };
    expect(() => resolveLimits(tooLittle)).toThrow(
      bad('maxIncompleteBytesTotal is 131071; it must be an integer from 131072'),
    );
  });
});

describe('the ends of the channel', () => {
  const create = (wrong: object): readonly (() => unknown)[] => {
    const options: ChannelClientOptions = { port: 0, keyFile: 'k', ...wrong };
    return [() => new ChannelClient(options), () => createChannelServer(options, () => Buffer.alloc(0))];
  };

  it.each([
    [{ maxMessageByte: 65_536 }, 'There is no option maxMessageByte; maxMessageBytes may be meant'],
    [{ maxRunning: 5 }, 'There is no option maxRunning'],
    [{ maxJsonNodes: 5 }, 'There is no option maxJsonNodes'],
    [{ redial: 'no' }, 'redial is of type string; it must be true or false'],
    [{ key: { hardByte: 1 } }, 'The name of a limit in key'],
    [{ maxInFlight: null }, 'maxInFlight is null; it must be an integer from 1 to 4294967295'],
  ])('reject %j with ERR_BAD_OPTION', (wrong, message) => {
    for (const end of create(wrong)) expect(end).toThrow(bad(message));
  });

  it('accept the same options, redial included', () => {
    for (const end of create({ redial: true, maxInFlight: 5, key: {} })) expect(end).not.toThrow();
  });
});
