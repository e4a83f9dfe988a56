import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createKeyFile } from '@sealwire/crypto';
import type { Secrets } from './peer.js';

/** Lends secrets to `work`, in a folder that is gone afterwards. */
export async function withSecrets<T>(work: (secrets: Secrets) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'sealwire-bench-'));
  try {
    const keyFile = join(folder, 'key.bin');
    await createKeyFile(keyFile);
    return await work({ keyFile, ...(await makeCertificate(folder)) });
  } finally {
    await rm(folder, { recursive: true });
  }
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
