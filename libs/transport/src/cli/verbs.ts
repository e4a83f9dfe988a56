import type { Verb, VerbOption } from './verb.js';

const POLICY: VerbOption = { value: 'POLICY', summary: 'strict, or mounted-secret for a file that was mounted' };
const YES: VerbOption = { summary: 'does not ask' };
const KEY_NAME = 'KID is a key id, at least 4 digits of its beginning, or a label that no other key has.';
const EDITED =
  'The file is replaced by a complete new one with the same owner and mode; a link is refused. Commands that run at the same time wait for each other.';

const KEY_VERBS: readonly Verb[] = [
  {
    name: 'keygen',
    arguments: ['FILE'],
    summary: 'creates a key file with a random key, mode 0600, and never overwrites one',
    options: {
      ring: { summary: 'creates a keyring with one primary key, instead of 32 raw bytes' },
      label: { value: 'LABEL', summary: 'the name of the key in the keyring, default main' },
    },
    load: () => import('./keys/keygen.js'),
  },
  {
    name: 'fingerprint',
    arguments: ['FILE'],
    summary: 'prints the ids of the keys of a key file, which are public',
    options: { policy: POLICY },
    load: () => import('./keys/fingerprint.js'),
  },
  {
    name: 'convert',
    arguments: ['FROM', 'TO'],
    summary: 'creates a keyring from a raw key file, or a raw key file from one key of a keyring',
    details: `The new file has mode 0600; an existing one is not overwritten. ${KEY_NAME}`,
    options: {
      kid: { value: 'KID', summary: 'the key of the keyring to take, default the primary one' },
      label: { value: 'LABEL', summary: 'the name of the key in the new keyring, default main' },
      policy: POLICY,
    },
    load: () => import('./keys/convert.js'),
  },
];

const KEYRING_VERBS: readonly Verb[] = [
  {
    name: 'keyring list',
    arguments: ['FILE'],
    summary: 'prints the keys of a key file, without the keys themselves',
    options: { policy: POLICY },
    load: () => import('./keys/list.js'),
  },
  {
    name: 'keyring verify',
    arguments: ['FILE'],
    summary: 'checks a key file and prints what is wrong with it; exit code 1 if it would be refused',
    options: { policy: POLICY },
    load: () => import('./keys/verify.js'),
  },
  {
    name: 'keyring install',
    arguments: ['FILE'],
    summary: 'adds a random key, or one of a raw key file, with the state accept',
    details: EDITED,
    options: {
      from: { value: 'RAW_FILE', summary: 'the raw key file to take the key from' },
      label: { value: 'LABEL', summary: 'the name of its holder, default that of the primary key' },
      patterns: {
        value: 'PATTERN',
        summary: 'a pattern that its holder may call, default those of the primary key, with --label all',
        multiple: true,
      },
      'not-before': { value: 'TIME', summary: 'the first moment of use, such as 2027-01-31T12:00:00Z' },
      'not-after': { value: 'TIME', summary: 'the end of use' },
    },
    load: () => import('./keys/install.js'),
  },
  {
    name: 'keyring use',
    arguments: ['FILE', 'KID'],
    summary: 'makes a key primary; the one before it is accepted from now on',
    details: `${KEY_NAME} ${EDITED}`,
    options: { yes: YES },
    load: () => import('./keys/use.js'),
  },
  {
    name: 'keyring retire',
    arguments: ['FILE', 'KID'],
    summary: 'stops the use of a key; its connections are drained',
    details: `The primary key is refused. ${KEY_NAME} ${EDITED}`,
    options: { yes: YES },
    load: () => import('./keys/retire.js'),
  },
  {
    name: 'keyring revoke',
    arguments: ['FILE', 'KID'],
    summary: 'stops the use of a key for ever; its connections are destroyed at once',
    details: `Also for the primary key: without one, nothing can dial with the keyring. ${KEY_NAME} ${EDITED}`,
    options: { yes: YES },
    load: () => import('./keys/revoke.js'),
  },
  {
    name: 'keyring remove',
    arguments: ['FILE', 'KID'],
    summary: 'deletes a key; its connections are drained',
    details: `The primary key is refused, and a revoked key without --forget-revoked. ${KEY_NAME} ${EDITED}`,
    options: {
      'forget-revoked': { summary: 'also deletes a revoked key, after every server has loaded it' },
      yes: YES,
    },
    load: () => import('./keys/remove.js'),
  },
];

const CALL_OPTIONS: Verb['options'] = {
  key: { value: 'FILE', summary: 'the key file, whose primary key is used', env: 'SEALWIRE_KEY_FILE' },
  policy: { ...POLICY, env: 'SEALWIRE_KEY_POLICY' },
  service: { value: 'NAME', summary: 'the service name of the server, else "default"', env: 'SEALWIRE_SERVICE' },
  timeout: { value: 'MS', summary: 'the time limit of the connection and the call together, else 10000' },
};

const SERVER = 'SERVER is HOST:PORT, [IPV6]:PORT or unix:/path.';
const MESSAGE = `${SERVER} PATTERN is a text, or the JSON of a pattern that is an object. JSON is the data, - for standard input. Write -- before data that begins with -.`;

const CALL_VERBS: readonly Verb[] = [
  {
    name: 'ping',
    arguments: ['SERVER'],
    summary: 'connects with a key, and measures a round trip',
    details: SERVER,
    options: CALL_OPTIONS,
    load: () => import('./calls/ping.js'),
  },
  {
    name: 'send',
    arguments: ['SERVER', 'PATTERN', '[JSON]'],
    summary: 'sends a request, and prints its answer',
    details: MESSAGE,
    options: CALL_OPTIONS,
    load: () => import('./calls/send.js'),
  },
  {
    name: 'emit',
    arguments: ['SERVER', 'PATTERN', '[JSON]'],
    summary: 'sends an event, and waits until the server has it',
    details: MESSAGE,
    options: CALL_OPTIONS,
    load: () => import('./calls/emit.js'),
  },
  {
    name: 'stream',
    arguments: ['SERVER', 'PATTERN', '[JSON]'],
    summary: 'sends a request, and prints each value of its answer until Ctrl-C',
    details: `${MESSAGE} Without --timeout, only the connection has a time limit.`,
    options: CALL_OPTIONS,
    load: () => import('./calls/stream.js'),
  },
];

/** All verbs, in the order of the help. */
export const VERBS: readonly Verb[] = [...KEY_VERBS, ...KEYRING_VERBS, ...CALL_VERBS];
