import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createKeyFile } from '@sealwire/crypto';
import type { Secrets } from './peer.js';

const SHARED_KEY_BYTES = 16;

/** Makes secrets, whose files are put in `folder`. */
export async function makeSecrets(folder: string): Promise<Secrets> {
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
