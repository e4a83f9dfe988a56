import { describe, expect, it } from 'vitest';

import { resolveLimits } from './limits.js';
import { SealwireClient } from './nest/client.js';
import { SealwireServer } from './nest/server.js';

const bad = (name: string): unknown =>
  expect.objectContaining({ code: 'ERR_BAD_OPTION', message: expect.stringContaining(name) as string });

describe('options', () => {
  it('have the defaults of the protocol', () => {
    expect(resolveLimits({})).toMatchObject({
      maxMessageBytes: 8_388_608,
      maxInFlight: 1_024,
      maxRunning: 2_048,
      pingIntervalMs: 30_000,
      pongTimeoutMs: 60_000,
      drainTimeoutMs: 10_000,
    });
  });

  it('leave room beside the largest message, unless told otherwise', () => {
    const maxMessageBytes = 128 * 1_048_576;
    const room = { maxIncompleteBytes: 2 * maxMessageBytes, maxQueuedBytes: 2 * maxMessageBytes };
    expect(resolveLimits({ maxMessageBytes })).toMatchObject(room);
    expect(resolveLimits({ maxMessageBytes: 0xffff_ffff })).toMatchObject({ maxIncompleteBytes: 0xffff_ffff });
    expect(resolveLimits({ maxMessageBytes, maxQueuedBytes: 65_536 })).toMatchObject({ maxQueuedBytes: 65_536 });
    expect(resolveLimits({ maxMessageBytes: 65_536 })).toMatchObject({ maxQueuedBytes: 64 * 1_048_576 });
  });

  it.each([
    ['maxMessageBytes', 65_535],
    ['maxInFlight', 0],
    ['maxRunning', 0],
    ['maxStrangers', -1],
    ['connectTimeoutMs', 0],
    ['pingIntervalMs', Infinity],
    ['writeTimeoutMs', 1.5],
    ['recordTimeoutMs', NaN],
    ['sessionSoftAgeMs', 2 ** 31],
  ])('refuse %s of %d, by name', (name, value) => {
    expect(() => resolveLimits({ [name]: value })).toThrow(bad(name));
  });

  it.each([
    ['port', { port: 65_536, keyFile: 'k' }],
    ['path', { port: 1, path: '/s', keyFile: 'k' }],
    ['service', { service: '', keyFile: 'k' }],
    ['keyFile', {}],
    ['requestTimeoutMs', { requestTimeoutMs: -1, keyFile: 'k' }],
  ])('that cannot be meant stop the start: %s', (name, options) => {
    expect(() => new SealwireClient(options)).toThrow(bad(name));
    if (name !== 'requestTimeoutMs') expect(() => new SealwireServer(options)).toThrow(bad(name));
  });
});
