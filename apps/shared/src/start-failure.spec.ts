import { CryptoError } from '@sealwire/crypto';
import { describe, expect, it } from 'vitest';

import { StartError } from './settings/index.js';
import { explainStartFailure, listenFailed } from './start-failure.js';

const VARIABLES = { address: 'HTTP_HOST', port: 'HTTP_PORT' };

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code, syscall: 'listen' });
}

describe('a failed start', () => {
  it.each([
    [new StartError('PORT must be a number'), 'PORT must be a number'],
    [new CryptoError('ERR_KEY_FILE_MODE', 'Too open'), 'SEALWIRE_KEY_FILE: Too open'],
    [
      new CryptoError('ERR_KEY_FILE_MISSING', 'No key file: create one (npx sealwire keygen a_key.bin)'),
      'SEALWIRE_KEY_FILE: No key file: create one (npx sealwire keygen a_key.bin) (in this repository: "npm run keys -- keygen FILE")',
    ],
    [
      new CryptoError('ERR_KEYRING_NO_KEY', 'No key (npx sealwire keyring list)'),
      'SEALWIRE_KEY_FILE: No key (npx sealwire keyring list) (in this repository: "npm run keys -- keyring list FILE")',
    ],
  ])('is one line if the settings or the key are wrong: %s', (error, line) => {
    expect(explainStartFailure(error)).toBe(line);
  });

  it('keeps its stack if it is unexpected', () => {
    expect(explainStartFailure(new TypeError('x is not a function'))).toBeUndefined();
  });

  it.each([
    ['EADDRINUSE', /^HTTP_PORT: 127\.0\.0\.1:80 is in use; /],
    ['EACCES', /^HTTP_PORT: this app cannot listen on 127\.0\.0\.1:80, because this user has no permission, /],
    [
      'EADDRNOTAVAIL',
      /^HTTP_HOST: this app cannot listen on 127\.0\.0\.1:80 \(EADDRNOTAVAIL\), because the host is not an address of this machine or cannot be resolved; set another value$/,
    ],
    ['ENOTFOUND', /^HTTP_HOST: /],
    ['EROFS', /^HTTP_HOST: this app cannot listen on 127\.0\.0\.1:80 \(EROFS\); set another value$/],
    ['EMFILE', /^HTTP_HOST: .* \(EMFILE\); raise the limit on open files$/],
  ])('names the setting if listening fails: %s', (code, line) => {
    const wrapped = new Error('outer', { cause: systemError(code) });
    for (const error of [systemError(code), wrapped]) {
      expect(explainStartFailure(listenFailed(error, '127.0.0.1:80', VARIABLES))).toMatch(line);
    }
  });

  it('names the setting if Node rejects it before the system call', () => {
    const refused = Object.assign(new TypeError('no path'), { code: 'ERR_INVALID_ARG_VALUE' });
    const error = Object.assign(new Error('outer', { cause: refused }), { code: 'ERR_LISTEN_FAILED' });
    expect(explainStartFailure(listenFailed(error, ' ', VARIABLES))).toMatch(
      /^HTTP_HOST: .* \(ERR_INVALID_ARG_VALUE\); set another value$/,
    );
  });

  it('is returned unchanged if it has no code', () => {
    const error = new TypeError('x is not a function');
    expect(listenFailed(error, '127.0.0.1:80', VARIABLES)).toBe(error);
  });
});
