import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { promisify } from 'node:util';

/** Where and on what a bench ran. */
export interface Machine {
  readonly node: string;
  readonly openssl: string;
  readonly processors: string;
  readonly memoryGiB: number;
  /** How many files and sockets a process may have open; undefined where the system does not say. */
  readonly openFiles: string | undefined;
  /** Of the repository, with `-dirty` where files differ from it; undefined outside a clone. */
  readonly commit: string | undefined;
}

export async function describeMachine(): Promise<Machine> {
  const processors = cpus();
  return {
    node: process.versions.node,
    openssl: process.versions.openssl,
    processors: `${processors.length} (${processors[0]?.model.trim() ?? 'unknown'})`,
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    openFiles: readOpenFiles(),
    commit: await readCommit(),
  };
}

export function machineLines({ node, openssl, processors, memoryGiB, openFiles, commit }: Machine): readonly string[] {
  return [
    `node: ${node}`,
    `openssl: ${openssl}`,
    `processors: ${processors}`,
    `memory_gib: ${memoryGiB}`,
    ...(openFiles === undefined ? [] : [`open_files_limit: ${openFiles}`]),
    ...(commit === undefined ? [] : [`commit: ${commit}`]),
  ];
}

/** Node has raised its soft limit to the hard one by now, and its children inherit it. */
function readOpenFiles(): string | undefined {
  try {
    return /^Max open files\s+(\S+)/mu.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}

async function readCommit(): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)('git', ['describe', '--always', '--dirty', '--abbrev=10']);
    return stdout.trim();
  } catch {
    return undefined;
  }
}
