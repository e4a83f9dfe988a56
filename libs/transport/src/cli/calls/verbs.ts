// The verbs that talk to a server, for the help and the parser. Their code is loaded when one of them runs.
import { KEY_NAME, POLICY } from '../keys/verbs.js';
import type { Verb } from '../verb.js';

const CALL_OPTIONS: Verb['options'] = {
  key: { value: 'FILE', summary: 'the key file', env: 'SEALWIRE_KEY_FILE' },
  kid: { value: 'KID', summary: 'the key to use from the keyring', default: 'the primary key' },
  policy: { ...POLICY, env: 'SEALWIRE_KEY_POLICY' },
  service: { value: 'NAME', summary: 'the service name', env: 'SEALWIRE_SERVICE', default: '"default"' },
  timeout: { value: 'MS', summary: 'the time limit of the connection and the call together', default: '10000' },
};

const SERVER = `SERVER is HOST:PORT, [IPV6]:PORT or unix:/path. ${KEY_NAME}`;
const MESSAGE = `${SERVER} PATTERN is a string, or a JSON object for an object pattern. JSON is the data; - reads it from standard input. Write -- before data that begins with -.`;

export const CALL_VERBS: readonly Verb[] = [
  {
    name: 'ping',
    arguments: ['SERVER'],
    summary: 'connects with a key, and measures a round trip',
    example: 'ping 127.0.0.1:8080 --key aes_key.bin',
    details: SERVER,
    options: CALL_OPTIONS,
    load: () => import('./ping.js'),
  },
  {
    name: 'send',
    arguments: ['SERVER', 'PATTERN', '[JSON]'],
    summary: 'sends a request, and prints its answer',
    example: `send 127.0.0.1:8080 sum '[1, 2, 3]' --key aes_key.bin`,
    details: MESSAGE,
    options: CALL_OPTIONS,
    load: () => import('./send.js'),
  },
  {
    name: 'emit',
    arguments: ['SERVER', 'PATTERN', '[JSON]'],
    summary: 'sends an event, and waits until the server has acknowledged it',
    example: `emit 127.0.0.1:8080 notice '{"text":"hello"}' --key ring.json --kid billing`,
    details: MESSAGE,
    options: CALL_OPTIONS,
    load: () => import('./emit.js'),
  },
  {
    name: 'stream',
    arguments: ['SERVER', 'PATTERN', '[JSON]'],
    summary: 'sends a request, and prints each value of its answer until Ctrl-C',
    example: 'stream unix:/run/sealwire.sock countdown 3 --key aes_key.bin',
    details: `${MESSAGE} Without --timeout, only the connection has a time limit.`,
    options: CALL_OPTIONS,
    load: () => import('./stream.js'),
  },
];
