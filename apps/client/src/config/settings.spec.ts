import { describe, expect, it } from 'vitest';

import { parseSettings } from './settings.js';
import { StartError } from './start-error.js';

function complaintAbout(env: NodeJS.ProcessEnv): string {
  try {
    parseSettings(env);
  } catch (error) {
    if (error instanceof StartError) return error.message;
    throw error;
  }
  throw new Error('The settings were accepted');
}

describe('the settings of the client app', () => {
  it('have a default each', () => {
    const loopback = ['localhost', '127.0.0.1', '[::1]'].map((name) => expect.objectContaining({ name }));
    expect(parseSettings({})).toEqual({
      server: { host: '127.0.0.1', port: 8080 },
      keyFile: 'aes_key.bin',
      keyPolicy: 'strict',
      service: 'default',
      connectTimeoutMs: 5_000,
      http: {
        host: '127.0.0.1',
        port: 3000,
        token: undefined,
        allowedHosts: loopback,
        allowsOnlyLoopback: true,
        isForThisHost: false,
        requestsAMinute: 60_000,
      },
      logFormat: process.stdout.isTTY ? 'pretty' : 'json',
      logMessages: true,
    });
  });

  it.each([
    [
      { SEALWIRE_HOST: 'server', SEALWIRE_PORT: '9' },
      { host: 'server', port: 9 },
    ],
    [
      { SEALWIRE_SERVERS: 'server:9', SEALWIRE_PORT: '8' },
      { host: 'server', port: 9 },
    ],
    [{ SEALWIRE_SERVERS: '[::1]:9' }, { host: '::1', port: 9 }],
    [{ SEALWIRE_PATH: '/tmp/s.sock', SEALWIRE_PORT: '9' }, { path: '/tmp/s.sock' }],
  ])('say where the server is: %o', (env, server) => {
    expect(parseSettings(env).server).toEqual(server);
  });

  it('take an empty variable for one that is not set', () => {
    expect(parseSettings({ SEALWIRE_SERVERS: '', HTTP_TOKEN: '', HTTP_ALLOWED_HOSTS: '' })).toEqual(parseSettings({}));
  });

  it('take the allowed hosts instead of the loopback names', () => {
    const { allowedHosts, allowsOnlyLoopback } = parseSettings({
      HTTP_ALLOWED_HOSTS: 'a.example, https://b.example',
    }).http;
    expect(allowedHosts.map(({ name }) => name)).toEqual(['a.example', 'b.example']);
    expect(allowsOnlyLoopback).toBe(false);
  });

  it.each([
    ['localhost,127.0.0.1,[::1]', true],
    ['localhost:3000', true],
    ['localhost,a.example', false],
  ])('take the trigger to be for this host where nothing but loopback names are listed: %s', (hosts, expected) => {
    expect(parseSettings({ HTTP_ALLOWED_HOSTS: hosts }).http.isForThisHost).toBe(expected);
  });

  it.each([
    ['SEALWIRE_SERVERS', 'server', 'a list of host:port'],
    ['SEALWIRE_SERVERS', '::1:80', 'a list of host:port'],
    ['SEALWIRE_SERVERS', 'server:65536', 'a list of host:port'],
    ['SEALWIRE_SERVERS', 'server:0', 'a list of host:port'],
    ['SEALWIRE_PORT', '0', 'a whole number from 1 to 65535'],
    ['SEALWIRE_PORT', '65536', 'a whole number from 1 to 65535'],
    ['SEALWIRE_SERVERS', 'a:1,b:2', 'one host:port, as this version connects to one server'],
    ['HTTP_HOST', 'http://localhost', 'a host name or an IP address, without a port'],
    ['HTTP_PORT', '99999', 'a whole number from 0 to 65535'],
    ['HTTP_ALLOWED_HOSTS', '*', 'a list of host names, host:port or origins (no *)'],
    ['HTTP_ALLOWED_HOSTS', 'a.example,', 'a list of host names, host:port or origins (no *)'],
    ['HTTP_RATE_LIMIT', '0', 'a whole number from 1 to 999999999'],
    ['SEALWIRE_CONNECT_TIMEOUT_MS', '0', 'milliseconds, from 1 to 86400000'],
    ['SEALWIRE_KEY_POLICY', 'lax', 'strict or mounted-secret'],
    ['LOG_MESSAGES', '1', 'true or false'],
  ])('refuse a wrong %s (%s) by its name, and say what is accepted', (name, value, accepted) => {
    expect(complaintAbout({ [name]: value })).toBe(`${name} must be ${accepted}, not ${JSON.stringify(value)}`);
  });

  it('never print the token', () => {
    expect(complaintAbout({ HTTP_TOKEN: 'secret secret' })).toBe(
      'HTTP_TOKEN must be a token of letters, digits and -._~+/',
    );
  });

  it('refuse two ways to the server at once', () => {
    const both = { SEALWIRE_PATH: '/tmp/s.sock', SEALWIRE_SERVERS: 'server:9' };
    expect(complaintAbout(both)).toMatch(/^SEALWIRE_PATH must be left out where SEALWIRE_SERVERS is set/);
  });
});
