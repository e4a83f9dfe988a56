// The verbs of key files and keyrings, for the help and the parser. Their code is loaded when one of them runs.
import type { Verb, VerbOption } from '../verb.js';

export const POLICY: VerbOption = { value: 'POLICY', summary: 'strict, or mounted-secret for a file that was mounted' };
const YES: VerbOption = { summary: 'does not ask for confirmation' };
export const KEY_NAME = 'KID is a key id, the first 4 or more digits of one, or a unique label.';
const EDITED =
  'The file is replaced by a complete new one with the same owner and mode; a link is refused. Commands that run at the same time wait for each other.';

export const KEY_VERBS: readonly Verb[] = [
  {
    name: 'keygen',
    arguments: ['FILE'],
    summary: 'creates a key file with a random key and mode 0600; never overwrites an existing file',
    example: 'keygen aes_key.bin',
    options: {
      ring: { summary: 'creates a keyring with one primary key, instead of 32 raw bytes' },
      label: { value: 'LABEL', summary: 'the label of the key, which names its holder', default: 'main' },
    },
    load: () => import('./keygen.js'),
  },
  {
    name: 'fingerprint',
    arguments: ['FILE'],
    summary: 'prints the ids of the keys of a key file, which are public',
    example: 'fingerprint aes_key.bin',
    options: { policy: POLICY },
    load: () => import('./fingerprint.js'),
  },
  {
    name: 'convert',
    arguments: ['FROM', 'TO'],
    summary: 'creates a keyring from a raw key file, or a raw key file from one key of a keyring',
    example: 'convert aes_key.bin ring.json --label first',
    details: `The new file has mode 0600; an existing one is not overwritten. ${KEY_NAME}`,
    options: {
      kid: { value: 'KID', summary: 'the key to take from the keyring', default: 'the primary key' },
      label: { value: 'LABEL', summary: 'the label of the key, which names its holder', default: 'main' },
      policy: POLICY,
    },
    load: () => import('./convert.js'),
  },
  {
    name: 'jwks',
    arguments: ['FROM', 'TO'],
    summary: 'creates a JWK Set for programs in other languages that open and seal broker messages',
    example: 'jwks ring.json envelope.jwks --kid billing',
    details: `The set is as secret as the key file, but cannot be used to connect. It has mode 0600; an existing file is not overwritten. ${KEY_NAME}`,
    options: {
      kid: { value: 'KID', summary: 'the only key to take', default: 'all keys that may be used now' },
      policy: POLICY,
    },
    load: () => import('./jwks.js'),
  },
];

export const KEYRING_VERBS: readonly Verb[] = [
  {
    name: 'keyring list',
    arguments: ['FILE'],
    summary: 'lists the id, label, state, dates and patterns of each key; never prints key material',
    example: 'keyring list ring.json',
    options: { policy: POLICY },
    load: () => import('./list.js'),
  },
  {
    name: 'keyring verify',
    arguments: ['FILE'],
    summary: 'checks a key file and prints what is wrong with it; exit code 1 if it would be refused',
    example: 'keyring verify ring.json --json',
    options: { policy: POLICY },
    load: () => import('./verify.js'),
  },
  {
    name: 'keyring install',
    arguments: ['FILE'],
    summary: 'adds a random key, or the key of a raw key file (--from), with the state accept',
    example: `keyring install ring.json --label billing --patterns 'billing.*' --patterns sum`,
    details: EDITED,
    options: {
      from: { value: 'RAW_FILE', summary: 'the raw key file to take the key from' },
      policy: { value: 'POLICY', summary: 'the policy for RAW_FILE: strict, or mounted-secret' },
      label: {
        value: 'LABEL',
        summary: 'the label of the key, which names its holder',
        default: 'the label of the primary key',
      },
      patterns: {
        value: 'PATTERN',
        summary: 'a pattern that the holder may call',
        default: 'the patterns of the primary key, or all patterns if --label is given',
        multiple: true,
      },
      'not-before': { value: 'TIME', summary: 'the time from which the key is accepted, such as 2027-01-31T12:00:00Z' },
      'not-after': { value: 'TIME', summary: 'the time from which the key is no longer accepted' },
    },
    load: () => import('./install.js'),
  },
  {
    name: 'keyring use',
    arguments: ['FILE', 'KID'],
    summary: 'makes a key primary; the previous primary key stays accepted',
    example: 'keyring use ring.json second',
    details: `${KEY_NAME} ${EDITED}`,
    options: { yes: YES },
    load: () => import('./use.js'),
  },
  {
    name: 'keyring retire',
    arguments: ['FILE', 'KID'],
    summary: 'stops the use of a key; its connections are drained',
    example: 'keyring retire ring.json first',
    details: `The primary key cannot be retired. ${KEY_NAME} ${EDITED}`,
    options: { yes: YES },
    load: () => import('./retire.js'),
  },
  {
    name: 'keyring revoke',
    arguments: ['FILE', 'KID'],
    summary: 'stops the use of a key for ever; its connections are destroyed immediately',
    example: 'keyring revoke ring.json 0f1e2d3c4b5a6978 --yes',
    details: `The primary key can be revoked, too; until another key is made primary, no client can connect with this keyring. ${KEY_NAME} ${EDITED}`,
    options: { yes: YES },
    load: () => import('./revoke.js'),
  },
  {
    name: 'keyring remove',
    arguments: ['FILE', 'KID'],
    summary: 'deletes a key; its connections are drained',
    example: 'keyring remove ring.json first',
    details: `The primary key cannot be removed; a revoked key can be removed only with --forget-revoked. ${KEY_NAME} ${EDITED}`,
    options: {
      'forget-revoked': {
        summary: 'also deletes a revoked key; use it only after every server has loaded the revocation',
      },
      yes: YES,
    },
    load: () => import('./remove.js'),
  },
];
