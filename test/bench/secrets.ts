import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createKeyFile } from '@sealwire/crypto';
import type { Secrets } from './peer.js';

const SHARED_KEY_BYTES = 16;

/** Makes secrets, in a folder that is gone when this process ends. */
export async function makeSecrets(): Promise<Secrets> {
  const folder = await mkdtemp(join(tmpdir(), 'sealwire-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true }));
  const keyFile = join(folder, 'key.bin');
  await createKeyFile(keyFile);
  return { keyFile, sharedKey: randomBytes(SHARED_KEY_BYTES).toString('hex'), ...(await makeCertificate(folder)) };
}

async function makeCertificate(folder: string): Promise<Pick<Secrets, 'certificate'>> {
  const [keyPath, certPath] = [join(folder, 'tls.key'), join(folder, 'tls.crt')];
  const request = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost';
  const names = ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  try {
    await promisify(execFile)('openssl', [...request.split(' '), ...names, '-keyout', keyPath, '-out', certPath]);
  } catch {
    return {};
  }
  return { certificate: { key: await readFile(keyPath, 'utf8'), cert: await readFile(certPath, 'utf8') } };
}
