import { describe, expect, it } from 'vitest';

import { LegacyClient } from './legacy-client.js';
import type { LegacyServerOptions } from './legacy-options.js';
import { LegacyServer } from './legacy-server.js';

const OPTIONS = { port: 0, keyFile: 'k', channelKeyring: undefined };

const bad = (message: string): Error =>
  expect.objectContaining({ code: 'ERR_BAD_OPTION', message: expect.stringContaining(message) as string }) as Error;

describe.each([
  ['LegacyServer', LegacyServer],
  ['LegacyClient', LegacyClient],
])('the options of a %s', (_name, Class) => {
  it.each([
    ['host is 5; it must be a non-empty string', { host: 5 }],
    ["port is the string '8080'; it must be an integer", { port: '8080' }],
    ['port is missing; it must be', { port: undefined }],
    ['keyFile is missing; it must be', { keyFile: undefined }],
    ['keyFile is empty; it must be', { keyFile: '' }],
    ['channelKeyring is of type object; it must be a Keyring', { channelKeyring: {} }],
    ['warn is true; it must be a function', { warn: true }],
    ['pattern is 5; it must be a non-empty string', { pattern: 5 }],
    ['transportId is true; it must be', { transportId: true }],
    ['connectionTimeoutMs is 0; it must be', { connectionTimeoutMs: 0 }],
    ['maxConnections is 1.5; it must be', { maxConnections: 1.5 }],
    ['maxConnection is not an option; did you mean maxConnections?', { maxConnection: 5 }],
    ['service is not an option', { service: 'a' }],
  ])('are rejected by name: %s', (message, wrong) => {
    const options = { ...OPTIONS, ...wrong } as unknown as LegacyServerOptions;
    expect(() => new Class(options)).toThrow(bad(message));
  });

  it.each([undefined, null, 'legacy.bin'])('cannot be %j', (options) => {
    expect(() => new Class(options as unknown as LegacyServerOptions)).toThrow(bad('The options argument'));
  });
});
