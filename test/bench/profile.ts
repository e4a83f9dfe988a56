// Where the processes of `npm run bench -- --profile FOLDER` spent their time: the functions that were running most often.

import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The part of a CPU profile of V8 that is read here. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  /** The node that was running, by id, with the microseconds since the last one. */
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

export interface Share {
  readonly name: string;
  /** Of the time in which the process did anything at all. */
  readonly share: number;
}

const TOP = 20;
const IDLE = new Set(['(idle)', '(root)']);

/** @returns The functions by the time that they themselves ran, the longest first. */
export function selfShares({ nodes, samples, timeDeltas }: CpuProfile): readonly Share[] {
  const nameOfNode = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const micros = new Map<string, number>();
  let busy = 0;
  for (const [index, node] of samples.entries()) {
    const name = nameOfNode.get(node) ?? '(root)';
    const delta = timeDeltas[index] ?? 0;
    if (IDLE.has(name)) continue;
    busy += delta;
    micros.set(name, (micros.get(name) ?? 0) + delta);
  }
  return [...micros].map(([name, each]) => ({ name, share: each / busy })).sort((a, b) => b.share - a.share);
}

function nameOf({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame']): string {
  const name = functionName === '' ? '(anonymous)' : functionName;
  if (url === '') return name;
  const file = url.startsWith('file:') ? relative(process.cwd(), fileURLToPath(url)) : url;
  return `${name} ${file.replace(/^.*node_modules\//u, '')}:${lineNumber + 1}`;
}

async function printProfiles(folder: string): Promise<void> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.cpuprofile')).sort();
  for (const file of files) {
    const profile = JSON.parse(await readFile(join(folder, file), 'utf8')) as CpuProfile;
    console.log(file);
    for (const { name, share } of selfShares(profile).slice(0, TOP)) {
      console.log(`  ${(share * 100).toFixed(1).padStart(5)} %  ${name}`);
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder] = process.argv.slice(2);
  if (folder === undefined) {
    console.error('npm run bench:profile -- FOLDER: a folder that npm run bench -- --profile FOLDER has written');
    process.exitCode = 1;
  } else {
    await printProfiles(folder).catch((error: unknown) => {
      console.error(
        `The profiles cannot be read; name a folder that npm run bench -- --profile FOLDER has written: ${String(error)}`,
      );
      process.exitCode = 1;
    });
  }
}
