import { StartError } from '@sealwire/app/settings';
import { describe, expect, it } from 'vitest';

import { parseSettings, variables } from './settings.js';

function shown(value: string): string {
  return /^-?\d{1,6}$/.test(value) ? `, not ${value}` : `; its value (length ${value.length}, not shown) is wrong`;
}

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
  it('have defaults', () => {
    const loopback = ['localhost', '127.0.0.1', '[::1]'].map((name) => expect.objectContaining({ name }));
    expect(parseSettings({})).toEqual({
      server: { host: '127.0.0.1', port: 8080 },
      keyFile: 'aes_key.bin',
      keyPolicy: 'strict',
      service: 'default',
      connectTimeoutMs: 5_000,
      wireTap: false,
      http: {
        host: '127.0.0.1',
        port: 3000,
        token: undefined,
        allowedHosts: loopback,
        allowsOnlyLoopback: true,
        isForThisHost: false,
        requestsAMinute: 60_000,
        keepAliveMs: 5_000,
        trustedProxies: [],
      },
      logFormat: process.stdout.isTTY ? 'pretty' : 'json',
      logMessages: true,
      serviceLinks: [],
    });
  });

  it.each([
    [
      { SEALWIRE_HOST: 'server', SEALWIRE_PORT: '9' },
      { host: 'server', port: 9 },
    ],
    [{ SEALWIRE_SERVERS: 'server:9', SEALWIRE_HOST: '' }, { servers: [{ host: 'server', port: 9 }] }],
    [{ SEALWIRE_HOST: 'server' }, { host: 'server', port: 8080 }],
    [
      { SEALWIRE_SERVERS: '[::1]:9, server:10' },
      {
        servers: [
          { host: '::1', port: 9 },
          { host: 'server', port: 10 },
        ],
      },
    ],
    [{ SEALWIRE_PATH: '/tmp/s.sock', SEALWIRE_PORT: '9' }, { path: '/tmp/s.sock' }],
  ])('contain the address of the server: %o', (env, server) => {
    expect(parseSettings(env).server).toEqual(server);
  });

  it('treat an empty variable as unset', () => {
    expect(parseSettings({ SEALWIRE_SERVERS: '', HTTP_TOKEN: '', HTTP_ALLOWED_HOSTS: '' })).toEqual(parseSettings({}));
  });

  it('replace the loopback names by the allowed hosts', () => {
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
  ])('mark the trigger as local if all allowed hosts are loopback names: %s', (hosts, expected) => {
    expect(parseSettings({ HTTP_ALLOWED_HOSTS: hosts }).http.isForThisHost).toBe(expected);
  });

  it.each([
    ['SEALWIRE_SERVERS', 'server', 'a comma-separated list of at most 64 host:port entries'],
    ['SEALWIRE_SERVERS', '::1:80', 'a comma-separated list of at most 64 host:port entries'],
    ['SEALWIRE_SERVERS', 'server:65536', 'a comma-separated list of at most 64 host:port entries'],
    ['SEALWIRE_SERVERS', 'server:0', 'a comma-separated list of at most 64 host:port entries'],
    ['SEALWIRE_PORT', '0', 'a whole number from 1 to 65535'],
    ['SEALWIRE_PORT', '65536', 'a whole number from 1 to 65535'],
    [
      'SEALWIRE_SERVERS',
      Array.from({ length: 65 }, () => 'a:1').join(','),
      'a comma-separated list of at most 64 host:port entries',
    ],
    ['HTTP_HOST', 'http://localhost', 'a host name or an IP address, without a port'],
    ['HTTP_PORT', '99999', 'a whole number from 0 to 65535'],
    ['HTTP_ALLOWED_HOSTS', '*', 'a comma-separated list of host names, host:port entries or origins (no *)'],
    ['HTTP_ALLOWED_HOSTS', 'a.example,', 'a comma-separated list of host names, host:port entries or origins (no *)'],
    ['HTTP_KEEP_ALIVE_MS', '0', 'a whole number of milliseconds from 1 to 86400000'],
    [
      'HTTP_TRUSTED_PROXIES',
      'true',
      'a comma-separated list of IP addresses, networks, or the names loopback, linklocal and uniquelocal',
    ],
    [
      'HTTP_TRUSTED_PROXIES',
      '10.0.0.0/33',
      'a comma-separated list of IP addresses, networks, or the names loopback, linklocal and uniquelocal',
    ],
    ['HTTP_RATE_LIMIT', '0', 'a whole number from 1 to 999999999'],
    ['SEALWIRE_CONNECT_TIMEOUT_MS', '0', 'a whole number of milliseconds from 1 to 86400000'],
    ['SEALWIRE_KEY_POLICY', 'lax', 'strict or mounted-secret'],
    ['LOG_MESSAGES', '1', 'true or false'],
  ])('reject an invalid %s (%s) by name and list the accepted values', (name, value, accepted) => {
    expect(complaintAbout({ [name]: value })).toBe(`${name} must be ${accepted}${shown(value)}`);
  });

  it('never print the token', () => {
    expect(complaintAbout({ HTTP_TOKEN: 'secret secret' })).toBe(
      'HTTP_TOKEN must be a token of letters, digits and -._~+/; its value (length 13, not shown) is wrong',
    );
  });

  it.each([
    ['SEALWIRE_PATH', '/tmp/s.sock'],
    ['SEALWIRE_HOST', 'server'],
    ['SEALWIRE_PORT', '8080'],
  ])('reject %s beside SEALWIRE_SERVERS', (name, value) => {
    expect(complaintAbout({ SEALWIRE_SERVERS: 'server:9', [name]: value })).toBe(
      `${name} must not be set if SEALWIRE_SERVERS is set`,
    );
  });

  it.each(['SEALWIRE_PORT', 'HTTP_PORT'])('treat %s as unset if it is a Docker service link', (name) => {
    for (const link of ['tcp://10.0.0.7:8080', 'udp://10.0.0.7:53', 'tcp://[fd00::7]:8080']) {
      const env = { [name]: link, [`${name}_8080_TCP`]: link, KUBERNETES_PORT: 'tcp://10.0.0.1:443' };
      expect(parseSettings(env)).toEqual({ ...parseSettings({}), serviceLinks: [name] });
    }
    expect(complaintAbout({ [name]: 'http://10.0.0.7:8080' })).toMatch(`${name} must be a whole number`);
  });

  describe('that contain a secret by mistake', () => {
    const secrets = [
      'correct horse battery staple',
      'hunter2',
      '9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f',
      'T4y+9sZb0qW1eR5tY7uI8oP3aS6dF2gH/jK4lZxCvB0=',
      '0x9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c5b4a39281706f5e4d3c2b1a0\n',
    ];
    const names = Object.keys(variables);

    it.each(names)('are rejected without being quoted, or accepted: %s', (name) => {
      for (const secret of secrets) {
        let complaint = '';
        try {
          parseSettings({ [name]: secret });
        } catch (error) {
          complaint = String(error);
        }
        expect(complaint).not.toContain(secret);
      }
    });

    it.each(names.filter((name) => name !== 'HTTP_TOKEN'))(
      'are rejected if the value is a key or HTTP_TOKEN: %s',
      (name) => {
        for (const secret of secrets.slice(2)) {
          expect(complaintAbout({ [name]: secret })).toMatch(`${name} must not be a secret`);
        }
        const token = 'correct-horse';
        expect(complaintAbout({ HTTP_TOKEN: token, [name]: token })).toMatch(`${name} must not be a secret`);
      },
    );
  });

  it('accept a path, a name and a token as long as a key', () => {
    expect(parseSettings({ SEALWIRE_KEY_FILE: '/run/secrets/Sealwire1/the-key-file-of-orders' }).keyFile).toMatch(
      '/run',
    );
    expect(parseSettings({ SEALWIRE_SERVICE: 'a-service-with-a-name-of-43-characters-1234' }).service).toMatch('a-');
    expect(
      parseSettings({ HTTP_TOKEN: '9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f' }),
    ).toBeDefined();
  });
});
