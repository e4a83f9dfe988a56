import { explainStartFailure } from '@sealwire/app';
import { CryptoError } from '@sealwire/crypto';
import { TransportError } from '@sealwire/transport';
import { describe, expect, it } from 'vitest';

import { legacyFailed } from './legacy-failure.js';

const VARIABLES = { address: 'SEALWIRE_HOST', port: 'LEGACY_PORT' };

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code, syscall: 'listen' });
}

describe('a legacy wire that cannot start', () => {
  it.each([
    new CryptoError('ERR_KEY_FILE_MISSING', 'No key file', { cause: systemError('ENOENT') }),
    new TransportError('ERR_LEGACY_KEY_SHARED', 'of the channel'),
  ])('names its key file if the file is invalid: $code', (error) => {
    expect(explainStartFailure(legacyFailed(error, ':1', VARIABLES))).toBe(`LEGACY_KEY_FILE: ${error.message}`);
  });

  it('names its port if the port is in use', () => {
    const error = new TransportError('ERR_LISTEN_FAILED', 'Cannot listen', { cause: systemError('EADDRINUSE') });
    expect(explainStartFailure(legacyFailed(error, ':1', VARIABLES))).toMatch(/^LEGACY_PORT: :1 is in use/);
  });
});
