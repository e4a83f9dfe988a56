// Other implementations of JOSE, which make and open envelopes with nothing of ours but the JWK.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { compactDecrypt, CompactEncrypt } from 'jose';
import type { CompactJWEHeaderParameters } from 'jose';

/** The members of docs/envelope.md §2. */
export interface EnvelopeJwk {
  readonly kty: 'oct';
  readonly k: string;
  readonly alg: 'A128CBC-HS256';
  readonly use: 'enc';
  readonly kid: string;
}

export interface EnvelopePeer {
  readonly name: string;
  /** Why it cannot run here; undefined if it can. */
  readonly missing: string | undefined;
  /** Some take an empty message for one that has not opened. */
  readonly opensEmpty: boolean;
  seal(jwk: EnvelopeJwk, header: object, plaintext: Uint8Array): Promise<string>;
  /** Rejects what does not open. */
  open(jwk: EnvelopeJwk, envelope: string): Promise<Uint8Array>;
}

const npmJose: EnvelopePeer = {
  name: 'npm jose',
  missing: undefined,
  opensEmpty: true,
  seal: (jwk, header, plaintext) =>
    new CompactEncrypt(plaintext).setProtectedHeader(header as CompactJWEHeaderParameters).encrypt({ ...jwk }),
  open: async (jwk, envelope) => (await compactDecrypt(envelope, { ...jwk })).plaintext,
};

function canRun(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args).status === 0;
}

function run(command: string, args: readonly string[], input: string | Uint8Array): Buffer {
  const { status, stdout, stderr } = spawnSync(command, args, { input, maxBuffer: 1e8 });
  if (status !== 0) throw new Error(`${command} failed: ${String(stderr)}`);
  return stdout;
}

/** Runs `use` with the path of a file that contains the key. */
async function withKeyFile<T>(jwk: EnvelopeJwk, use: (path: string) => T): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'sealwire-'));
  try {
    const path = join(folder, 'key.jwk');
    writeFileSync(path, JSON.stringify(jwk), { mode: 0o600 });
    return await Promise.resolve(use(path));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const debianJose: EnvelopePeer = {
  name: 'jose of Debian',
  missing: canRun('jose', ['alg']) ? undefined : 'the command jose is not installed',
  opensEmpty: true,
  seal: (jwk, header, plaintext) =>
    withKeyFile(jwk, (path) => {
      const template = JSON.stringify({ protected: header });
      return run('jose', ['jwe', 'enc', '-i', template, '-I', '-', '-k', path, '-c'], plaintext).toString();
    }),
  open: (jwk, envelope) =>
    withKeyFile(jwk, (path) => run('jose', ['jwe', 'dec', '-i', '-', '-k', path, '-O', '-'], envelope)),
};

const PYTHON = '/usr/bin/python3';
/** Reads a line of JSON and prints another one. */
const PROGRAM = `
import base64, json, sys
from jwcrypto import jwe, jwk
task = json.load(sys.stdin)
key = jwk.JWK(**task["jwk"])
if "envelope" in task:
    token = jwe.JWE()
    token.deserialize(task["envelope"], key=key)
    print(json.dumps(base64.b64encode(token.payload).decode()))
else:
    token = jwe.JWE(base64.b64decode(task["plaintext"]), protected=json.dumps(task["header"]))
    token.add_recipient(key)
    print(json.dumps(token.serialize(compact=True)))
`;

function jwcryptoDo(task: object): string {
  return String(JSON.parse(run(PYTHON, ['-c', PROGRAM], JSON.stringify(task)).toString()));
}

const jwcrypto: EnvelopePeer = {
  name: 'jwcrypto of Python',
  missing: canRun(PYTHON, ['-c', 'import jwcrypto']) ? undefined : 'there is no /usr/bin/python3 with jwcrypto',
  opensEmpty: false,
  seal: (jwk, header, plaintext) =>
    Promise.resolve().then(() => jwcryptoDo({ jwk, header, plaintext: Buffer.from(plaintext).toString('base64') })),
  open: (jwk, envelope) => Promise.resolve().then(() => Buffer.from(jwcryptoDo({ jwk, envelope }), 'base64')),
};

export const ENVELOPE_PEERS: readonly EnvelopePeer[] = [npmJose, debianJose, jwcrypto];
