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

describe('the settings of the server app', () => {
  it('have defaults', () => {
    expect(parseSettings({})).toEqual({
      listen: { host: '127.0.0.1', port: 8080 },
      keyFile: 'aes_key.bin',
      keyPolicy: 'strict',
      service: 'default',
      maxStrangersPerAddress: 64,
      legacy: undefined,
      health: { host: '127.0.0.1', port: 8081 },
      logFormat: process.stdout.isTTY ? 'pretty' : 'json',
      logMessages: true,
      serviceLinks: [],
    });
  });

  it('come from the environment', () => {
    const env = {
      SEALWIRE_HOST: '[::1]',
      SEALWIRE_PORT: '0',
      SEALWIRE_KEY_FILE: '/run/secrets/key',
      SEALWIRE_KEY_POLICY: 'mounted-secret',
      SEALWIRE_SERVICE: 'orders',
      SEALWIRE_MAX_STRANGERS_PER_ADDRESS: '3000',
      LEGACY_PORT: '9000',
      LEGACY_KEY_FILE: 'legacy.bin',
      HEALTH_HOST: '0.0.0.0',
      HEALTH_PORT: '65535',
      LOG_FORMAT: 'json',
      LOG_MESSAGES: 'false',
    };
    expect(parseSettings(env)).toEqual({
      listen: { host: '::1', port: 0 },
      keyFile: '/run/secrets/key',
      keyPolicy: 'mounted-secret',
      service: 'orders',
      maxStrangersPerAddress: 3_000,
      legacy: { host: '::1', port: 9000, keyFile: 'legacy.bin' },
      health: { host: '0.0.0.0', port: 65_535 },
      logFormat: 'json',
      logMessages: false,
      serviceLinks: [],
    });
  });

  it('accept a Unix socket in place of host and port', () => {
    expect(parseSettings({ SEALWIRE_PATH: '/tmp/s.sock', SEALWIRE_PORT: '9' }).listen).toEqual({ path: '/tmp/s.sock' });
  });

  it('treat an empty variable as unset', () => {
    expect(parseSettings({ SEALWIRE_PORT: '', SEALWIRE_PATH: '', LOG_FORMAT: '' })).toEqual(parseSettings({}));
  });

  it.each([
    ['SEALWIRE_HOST', 'tcp://host', 'a host name or an IP address, without a port'],
    ['SEALWIRE_PORT', '65536', 'a whole number from 0 to 65535'],
    ['SEALWIRE_PORT', '-1', 'a whole number from 0 to 65535'],
    ['SEALWIRE_PORT', '0x50', 'a whole number from 0 to 65535'],
    ['SEALWIRE_MAX_STRANGERS_PER_ADDRESS', '0', 'a whole number from 1 to 999999'],
    ['SEALWIRE_MAX_STRANGERS_PER_ADDRESS', '1e3', 'a whole number from 1 to 999999'],
    ['SEALWIRE_PORT', ' 80', 'a whole number from 0 to 65535'],
    ['SEALWIRE_PATH', 'x'.repeat(108), 'the path of a socket, at most 107 bytes long'],
    ['SEALWIRE_KEY_POLICY', 'lax', 'strict or mounted-secret'],
    ['SEALWIRE_SERVICE', 'x'.repeat(65_536), 'a name of at most 65535 bytes'],
    ['HEALTH_HOST', 'a b', 'a host name or an IP address, without a port'],
    ['HEALTH_PORT', 'http', 'a whole number from 0 to 65535'],
    ['LOG_FORMAT', 'xml', 'pretty or json'],
    ['LOG_MESSAGES', 'no', 'true or false'],
  ])('reject an invalid %s (%s) by name and list the accepted values', (name, value, accepted) => {
    expect(complaintAbout({ [name]: value })).toBe(`${name} must be ${accepted}${shown(value)}`);
  });

  it('reject the port of the legacy wire without its key file, and the key file without the port', () => {
    expect(complaintAbout({ LEGACY_PORT: '9000' })).toBe('LEGACY_KEY_FILE must be set, because LEGACY_PORT is set');
    expect(complaintAbout({ LEGACY_KEY_FILE: 'legacy.bin', LEGACY_PORT: '' })).toBe(
      'LEGACY_PORT must be set, because LEGACY_KEY_FILE is set',
    );
  });

  it('reject an invalid port of the legacy wire by name', () => {
    expect(complaintAbout({ LEGACY_PORT: 'on', LEGACY_KEY_FILE: 'legacy.bin' })).toBe(
      'LEGACY_PORT must be a whole number from 0 to 65535; its value (length 2, not shown) is wrong',
    );
  });

  it('reject one port for the channel and the legacy wire, unless the channel has no port or both are 0', () => {
    const legacy = { LEGACY_PORT: '8080', LEGACY_KEY_FILE: 'legacy.bin' };
    expect(complaintAbout(legacy)).toBe('LEGACY_PORT must be a port other than SEALWIRE_PORT, not 8080');
    expect(parseSettings({ ...legacy, SEALWIRE_PATH: '/tmp/s.sock' }).legacy).toMatchObject({ port: 8080 });
    expect(parseSettings({ ...legacy, LEGACY_PORT: '0', SEALWIRE_PORT: '0' }).legacy).toMatchObject({ port: 0 });
  });

  it('name every invalid variable in one line', () => {
    const complaint = complaintAbout({ SEALWIRE_PORT: 'a\nb', LOG_FORMAT: 'xml' });
    expect(complaint).toMatch(/SEALWIRE_PORT must be .*; LOG_FORMAT must be /);
    expect(complaint).not.toContain('\n');
  });

  it.each(['SEALWIRE_PORT', 'HEALTH_PORT', 'LEGACY_PORT'])(
    'treat %s as unset if it is a Docker service link',
    (name) => {
      for (const link of ['tcp://10.0.0.7:8080', 'udp://10.0.0.7:53', 'tcp://[fd00::7]:8080']) {
        const env = { [name]: link, [`${name}_8080_TCP`]: link, KUBERNETES_PORT: 'tcp://10.0.0.1:443' };
        expect(parseSettings(env)).toEqual({ ...parseSettings({}), serviceLinks: [name] });
      }
      expect(complaintAbout({ [name]: 'http://10.0.0.7:8080' })).toMatch(`${name} must be a whole number`);
    },
  );

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

    it.each(names)('are rejected if the value is a key or HTTP_TOKEN: %s', (name) => {
      for (const secret of secrets.slice(2)) {
        expect(complaintAbout({ [name]: secret })).toMatch(`${name} must not be a secret`);
      }
      const token = 'correct-horse';
      expect(complaintAbout({ HTTP_TOKEN: token, [name]: token })).toMatch(`${name} must not be a secret`);
    });
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
