/** TLS 1.2 with a pre-shared key and the primitives of Sealwire. */
export const PSK_TLS = {
  ciphers: 'ECDHE-PSK-AES128-CBC-SHA256',
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.2',
} as const;
