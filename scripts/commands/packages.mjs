import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packLibraries } from '../lib/packed.mjs';
import { prepare } from '../lib/prepare.mjs';

/** `npm run packages`: packs every library as npm would publish it, and checks the tarballs. */
export async function command(stop) {
  await prepare(stop);
  const { checkLibrary } = await import('../lib/package-check.mjs'); // its packages may have been missing before
  const folder = await mkdtemp(join(tmpdir(), 'sealwire-packages-'));
  try {
    const tarballs = await packLibraries(folder, stop);
    const complaints = [];
    for (const [name, path] of Object.entries(tarballs)) complaints.push(...(await checkLibrary(name, path)));
    for (const complaint of complaints) console.error(complaint);
    return complaints.length === 0 ? 0 : 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
