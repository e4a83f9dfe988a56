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
    expect(resolveOptions({ keyFile: 'k', maxInFlight: 5 }, 'server').maxRunning).toBe(10);
  });

  it('bound the memory of running messages by the heap by default', () => {
    const { maxRunningBytes, maxRunningBytesTotal } = resolveOptions({}, 'server');
    expect(maxRunningBytesTotal).toBe(Math.floor(getHeapStatistics().heap_size_limit / 4));
    expect(maxRunningBytes).toBe(Math.ceil(maxRunningBytesTotal / 2));
    expect(resolveOptions({ maxRunningBytesTotal: 100_000 }, 'server')).toMatchObject({ maxRunningBytes: 50_000 });
    expect(resolveOptions({ maxRunningBytes: 100_000 }, 'server')).toMatchObject({
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
    expect(() => resolveOptions({ [name]: value }, 'server')).toThrow(bad(name));
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
    expect(() => new SealwireServer({ keyFile: 'k', key } as SealwireServerOptions)).toThrow(bad(name));
    expect(() => new SealwireClient({ keyFile: 'k', key } as SealwireClientOptions)).toThrow(bad(name));
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
    ['redialMinMs', { redialMinMs: 2, redialMaxMs: 1 }],
    ['sessionSoftAgeMs', { sessionSoftAgeMs: 2, sessionHardAgeMs: 1 }],
    ['service', { service: 5 }],
    ['service', { service: null }],
  ])('reject an invalid %s in %j', (name, wrong) => {
    const options = { keyFile: 'k', ...wrong };
    expect(() => new SealwireServer(options as SealwireServerOptions)).toThrow(bad(name));
    expect(() => new SealwireClient(options as SealwireClientOptions)).toThrow(bad(name));
  });

  it.each([
    ['maxMessageBytes is of type bigint', { maxMessageBytes: 10n }],
    ['maxInFlight is of type object', { maxInFlight: Object.create(null) as unknown }],
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
    [{ maxMessageByte: 65_536 }, 'There is no option maxMessageByte; maxMessageBytes may be meant'],
    [{ KeyPolicy: 'strict' }, 'There is no option KeyPolicy; keyPolicy may be meant'],
    [{ prot: 1 }, 'There is no option prot; port may be meant'],
    [{ retryAttempts: 5 }, 'There is no option retryAttempts'],
    [{ drain: undefined }, 'There is no option drain'],
  ])('reject an unknown name in %j and suggest the nearest one', (wrong, message) => {
    const options = { keyFile: 'k', ...wrong };
    const refusal = expect.objectContaining({ code: 'ERR_BAD_OPTION', message }) as Error;
    expect(() => new SealwireServer(options)).toThrow(refusal);
    expect(() => new SealwireClient(options)).toThrow(refusal);
  });

  it('can be shared by both ends', () => {
    const shared = { keyFile: 'k', requestTimeoutMs: 5, redial: true, rejectSelf: true, maxRunning: 5, key: {} };
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
