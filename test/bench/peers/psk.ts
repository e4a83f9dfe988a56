// TLS 1.2 with a pre-shared key and the primitives of Sealwire: AES-128-CBC, HMAC-SHA-256, fresh keys for each connection.

import type { ConnectionOptions, TlsOptions } from 'node:tls';
import type { Secrets } from '../peer.js';

export const PSK_CIPHER = 'ECDHE-PSK-AES128-CBC-SHA256';

const TLS_1_2 = { ciphers: PSK_CIPHER, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
const IDENTITY = 'bench';

export function serverPsk(secrets: Secrets): TlsOptions {
  return { ...TLS_1_2, pskCallback: () => pskOf(secrets) };
}

export function clientPsk(secrets: Secrets): ConnectionOptions {
  return {
    ...TLS_1_2,
    pskCallback: () => ({ psk: pskOf(secrets), identity: IDENTITY }),
    checkServerIdentity: () => undefined, // there is no certificate: the key is the proof
  };
}

function pskOf({ sharedKey }: Secrets): Buffer {
  return Buffer.from(sharedKey, 'hex');
}
