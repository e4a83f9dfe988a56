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
      pongMs: 60_000,
      drainMs: 10_000,
      redial: { minMs: 100, maxMs: 30_000, inBackground: false },
    });
  });

  it('leave room next to the largest message by default', () => {
    const maxMessageBytes = 128 * 1_048_576;
    const room = { maxIncompleteBytes: 2 * maxMessageBytes, maxQueuedBytes: 2 * maxMessageBytes };
    expect(resolveLimits({ limits: { maxMessageBytes } })).toMatchObject(room);
    expect(resolveLimits({ limits: { maxMessageBytes: 0xffff_ffff } })).toMatchObject({
      maxIncompleteBytes: 0xffff_ffff,
    });
    expect(resolveLimits({ limits: { maxMessageBytes, maxQueuedBytes: 65_536 } })).toMatchObject({
      maxQueuedBytes: 65_536,
    });
    expect(resolveLimits({ limits: { maxMessageBytes: 65_536 } })).toMatchObject({ maxQueuedBytes: 64 * 1_048_576 });
  });

  it.each(['recordMs', 'messageMs', 'writeMs', 'pingIntervalMs', 'pongMs'])('disable %s with 0', (name) => {
    expect(resolveLimits({ timeouts: { [name]: 0 } })).toMatchObject({ [name]: Infinity });
  });

  it.each([
    ['maxMessageBytes', 65_535],
    ['maxInFlight', 0],
    ['maxStrangers', -1],
  ])('reject limits.%s of %d by name', (name, value) => {
    expect(() => resolveLimits({ limits: { [name]: value } })).toThrow(bad(`limits.${name} is ${value};`));
  });

  it.each([
    ['connectMs', 0],
    ['handshakeMs', 0],
    ['closeMs', 0],
    ['sessionHardAgeMs', 0],
    ['pingIntervalMs', Infinity],
    ['writeMs', 1.5],
    ['recordMs', NaN],
    ['sessionSoftAgeMs', 2 ** 31],
  ])('reject timeouts.%s of %d by name', (name, value) => {
    expect(() => resolveLimits({ timeouts: { [name]: value } })).toThrow(bad(`timeouts.${name} is ${value};`));
  });

  it.each([
    [true, { minMs: 100, maxMs: 30_000, inBackground: true }],
    [false, { minMs: 100, maxMs: 30_000, inBackground: false }],
    [{}, { minMs: 100, maxMs: 30_000, inBackground: true }],
    [
      { minMs: 5, maxMs: 20 },
      { minMs: 5, maxMs: 20, inBackground: true },
    ],
    [
      { minMs: 5, inBackground: false },
      { minMs: 5, maxMs: 30_000, inBackground: false },
    ],
  ])('read redial: %j', (redial, resolved) => {
    expect(resolveLimits({ redial }).redial).toEqual(resolved);
  });

  it('bound the memory of incomplete messages by the heap, and never below one message', () => {
    const quarter = Math.floor(getHeapStatistics().heap_size_limit / 4);
    expect(resolveLimits({})).toMatchObject({ maxIncompleteBytesTotal: quarter });
    const maxIncompleteBytes = 0xffff_ffff;
    expect(resolveLimits({ limits: { maxIncompleteBytes } }).maxIncompleteBytesTotal).toBe(
      Math.max(quarter, maxIncompleteBytes),
    );
    const tooLittle = { limits: { maxMessageBytes: 131_072, maxIncompleteBytesTotal: 131_071 } };
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
    [
      { limits: { maxMessageByte: 65_536 } },
      'limits.maxMessageByte is not an option; did you mean limits.maxMessageBytes?',
    ],
    [{ limits: { maxRunning: 5 } }, 'limits.maxRunning is not an option'],
    [{ limits: { maxJsonNodes: 5 } }, 'limits.maxJsonNodes is not an option'],
    [{ limits: { key: { hardByte: 1 } } }, 'limits.key.hardByte is not an option; did you mean limits.key.hardBytes?'],
    [{ limits: { maxInFlight: null } }, 'limits.maxInFlight is null; it must be an integer from 1 to 4294967295'],
    [{ limits: null }, 'limits is null; it must be an object'],
    [{ limits: { key: 5 } }, 'limits.key is 5; it must be an object'],
    [{ timeouts: [] }, 'timeouts is of type object; it must be an object'],
    [{ redial: 'no' }, 'redial is of type string; it must be true, false or an object'],
    [{ redial: null }, 'redial is null; it must be true, false or an object'],
    [{ redial: { inBackground: 1 } }, 'redial.inBackground is 1; it must be true or false'],
    [{ redial: { minMs: 2, maxMs: 1 } }, 'redial.minMs is 2; it must be at most redial.maxMs, which is 1'],
  ])('reject %j with ERR_BAD_OPTION', (wrong, message) => {
    for (const end of create(wrong)) expect(end).toThrow(bad(message));
  });

  it.each([
    ['maxMessageBytes', 'limits.maxMessageBytes'],
    ['key', 'limits.key'],
    ['connectTimeoutMs', 'timeouts.connectMs'],
    ['handshakeTimeoutMs', 'timeouts.handshakeMs'],
    ['pongTimeoutMs', 'timeouts.pongMs'],
    ['drainTimeoutMs', 'timeouts.drainMs'],
    ['drainTimeout', 'timeouts.drainMs'],
    ['sessionSoftAgeMs', 'timeouts.sessionSoftAgeMs'],
    ['redialMinMs', 'redial.minMs'],
    ['redialMaxMs', 'redial.maxMs'],
    ['timeout', 'timeouts'],
  ])('name the group of %s, which has no place outside it', (name, path) => {
    const refusal = bad(`${name} is not an option; did you mean ${path}?`);
    for (const end of create({ [name]: 1 })) expect(end).toThrow(refusal);
  });

  it('name the group of an option that is in another one', () => {
    const refusal = bad('limits.drainMs is not an option; did you mean timeouts.drainMs?');
    for (const end of create({ limits: { drainMs: 1 } })) expect(end).toThrow(refusal);
  });

  it('accept the same options, redial included', () => {
    for (const end of create({ redial: true, limits: { maxInFlight: 5, key: {} } })) expect(end).not.toThrow();
  });
});
