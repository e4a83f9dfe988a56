import { getHeapStatistics } from 'node:v8';

import { describe, expect, it } from 'vitest';

import { SealwireClient } from './client/client.js';
import { resolveOptions } from './options.js';
import type { SealwireClientOptions, SealwireServerOptions } from './options.js';
import { SealwireServer } from './server/server.js';

const bad = (name: string): unknown =>
  expect.objectContaining({ code: 'ERR_BAD_OPTION', message: expect.stringContaining(name) as string });

describe('options', () => {
  it('let twice as many handlers run as calls may be open', () => {
    expect(resolveOptions({ keyFile: 'k' }, 'server').maxRunning).toBe(2_048);
    expect(resolveOptions({ keyFile: 'k', limits: { maxInFlight: 5 } }, 'server').maxRunning).toBe(10);
  });

  it('bound the memory of running messages by the heap by default', () => {
    const { maxRunningBytes, maxRunningBytesTotal } = resolveOptions({}, 'server');
    expect(maxRunningBytesTotal).toBe(Math.floor(getHeapStatistics().heap_size_limit / 4));
    expect(maxRunningBytes).toBe(Math.ceil(maxRunningBytesTotal / 2));
    expect(resolveOptions({ limits: { maxRunningBytesTotal: 100_000 } }, 'server')).toMatchObject({
      maxRunningBytes: 50_000,
    });
    expect(resolveOptions({ limits: { maxRunningBytes: 100_000 } }, 'server')).toMatchObject({
      maxRunningBytes: 100_000,
      maxRunningBytesTotal,
    });
  });

  it.each([
    ['maxRunning', 0],
    ['maxRunningBytes', 0],
    ['maxRunningBytesTotal', 65_535],
    ['maxJsonNodes', 0],
  ])('reject %s of %d by name', (name, value) => {
    expect(() => resolveOptions({ limits: { [name]: value } }, 'server')).toThrow(bad(name));
  });

  it.each([
    ['hardBytes', { hardBytes: NaN }],
    ['softBytes', { softBytes: -1 }],
    ['softBytes', { softBytes: 'x' }],
    ['softBytes', { softBytes: null }],
    ['hardRecords', { hardRecords: 0 }],
    ['softBytes', { softBytes: 2, hardBytes: 1 }],
    ['softRecords', { hardRecords: 1 }],
    ['softAgeMs', { softAgeMs: 2, hardAgeMs: 1 }],
    ['hardBytes', { hardByte: 1 }],
    ['key', null],
    ['key', 5],
    ['key', []],
  ])('reject %s of the key in %j', (name, key) => {
    expect(() => new SealwireServer({ keyFile: 'k', limits: { key } } as SealwireServerOptions)).toThrow(bad(name));
    expect(() => new SealwireClient({ keyFile: 'k', limits: { key } } as SealwireClientOptions)).toThrow(bad(name));
  });

  it.each([
    ['keyPolicy', { keyPolicy: 'foo' }],
    ['keyFile', { keyFile: '' }],
    ['keyFile', { keyFile: 5 }],
    ['host', { host: 5 }],
    ['host', { host: null }],
    ['port', { port: '8080' }],
    ['port', { port: null }],
    ['path', { path: 5 }],
    ['path', { path: '' }],
    ['path', { path: '\0abstract' }],
    ['keyring', { keyFile: undefined, keyring: {} }],
    ['keyring', { keyFile: undefined, keyring: null }],
    ['redial', { redial: 'no' }],
    ['rejectSelf', { rejectSelf: 'false' }],
    ['keepSealedRecord', { keepSealedRecord: 1 }],
    ['serializer', { serializer: {} }],
    ['deserializer', { deserializer: { deserialize: true } }],
    ['redial.minMs', { redial: { minMs: 2, maxMs: 1 } }],
    ['timeouts.sessionSoftAgeMs', { timeouts: { sessionSoftAgeMs: 2, sessionHardAgeMs: 1 } }],
    ['service', { service: 5 }],
    ['service', { service: null }],
  ])('reject an invalid %s in %j', (name, wrong) => {
    const options = { keyFile: 'k', ...wrong };
    expect(() => new SealwireServer(options as SealwireServerOptions)).toThrow(bad(name));
    expect(() => new SealwireClient(options as SealwireClientOptions)).toThrow(bad(name));
  });

  it.each([
    ['maxMessageBytes is of type bigint', { limits: { maxMessageBytes: 10n } }],
    ['maxInFlight is of type object', { limits: { maxInFlight: Object.create(null) as unknown } }],
    ['requestTimeoutMs is of type symbol', { requestTimeoutMs: Symbol('x') }],
    ['requestTimeoutMs is of type object', { requestTimeoutMs: Object.create(null) as unknown }],
    ["port is the string '8080'; it must be an integer", { port: '8080' }],
    ['port is of type string; it must be an integer', { port: 'a'.repeat(64) }],
  ])('describe the error: %s', (message, wrong) => {
    expect(() => new SealwireClient({ keyFile: 'k', ...wrong } as SealwireClientOptions)).toThrow(bad(message));
  });

  it.each([undefined, null, 'aes_key.bin'])('reject %j in place of the options object', (options) => {
    expect(() => new SealwireServer(options as unknown as SealwireServerOptions)).toThrow(bad('options'));
    expect(() => new SealwireClient(options as unknown as SealwireClientOptions)).toThrow(bad('options'));
  });

  it.each([
    [{ limits: { maxRuning: 5 } }, 'limits.maxRuning is not an option; did you mean limits.maxRunning?'],
    [{ maxRunning: 5 }, 'maxRunning is not an option; did you mean limits.maxRunning?'],
    [{ drainTimeoutMs: 5 }, 'drainTimeoutMs is not an option; did you mean timeouts.drainMs?'],
    [
      { timeouts: { requestTimeoutMs: 5 } },
      'timeouts.requestTimeoutMs is not an option; did you mean requestTimeoutMs?',
    ],
    [{ requestTimeout: 5 }, 'requestTimeout is not an option; did you mean requestTimeoutMs?'],
    [{ KeyPolicy: 'strict' }, 'KeyPolicy is not an option; did you mean keyPolicy?'],
    [{ prot: 1 }, 'prot is not an option; did you mean port?'],
    [{ retryAttempts: 5 }, 'retryAttempts is not an option'],
  ])('reject an unknown name in %j and suggest the nearest one', (wrong, message) => {
    const options = { keyFile: 'k', ...wrong } as SealwireClientOptions;
    const refusal = expect.objectContaining({ code: 'ERR_BAD_OPTION', message }) as Error;
    expect(() => new SealwireServer(options)).toThrow(refusal);
    expect(() => new SealwireClient(options)).toThrow(refusal);
  });

  it('can be shared by both ends', () => {
    const shared = {
      keyFile: 'k',
      requestTimeoutMs: 5,
      redial: true,
      rejectSelf: true,
      limits: { maxRunning: 5, key: {} },
    };
    expect(() => new SealwireServer(shared)).not.toThrow();
    expect(() => new SealwireClient(shared)).not.toThrow();
  });

  it('accept a keyring of another copy of the package', () => {
    const keyring = { primary: {}, find: () => undefined, ids: [] };
    expect(() => new SealwireServer({ keyring } as unknown as SealwireServerOptions)).not.toThrow();
  });

  it.each([
    ['port', { port: 65_536, keyFile: 'k' }],
    ['path', { port: 1, path: '/s', keyFile: 'k' }],
    ['service', { service: '', keyFile: 'k' }],
    ['keyFile', {}],
    ['requestTimeoutMs', { requestTimeoutMs: -1, keyFile: 'k' }],
  ])('that are invalid or contradictory stop the start: %s', (name, options) => {
    expect(() => new SealwireClient(options)).toThrow(bad(name));
    if (name !== 'requestTimeoutMs') expect(() => new SealwireServer(options)).toThrow(bad(name));
  });
});
