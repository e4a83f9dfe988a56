// The programs in examples/, as users start them.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const BUILD_DEADLINE_MS = 150_000;
const RUN_DEADLINE_MS = 90_000;

export const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));

export async function buildExamples(): Promise<void> {
  const compiler = join(EXAMPLES, '..', 'node_modules', 'typescript', 'bin', 'tsc');
  await run(process.execPath, [compiler, '-b', EXAMPLES], { timeout: BUILD_DEADLINE_MS });
}

/** Runs an example to its end, and returns what it has printed. Rejects if it fails or does not end. */
export async function printedBy(file: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const program = join(EXAMPLES, 'dist', file.replace(/\.ts$/, '.js'));
  const options = { env: { ...process.env, ...env }, timeout: RUN_DEADLINE_MS };
  const { stdout } = await run(process.execPath, ['--enable-source-maps', program], options);
  return stdout;
}

/** Returns what the comment at the end of an example says that it prints. */
export function promisedBy(file: string): string {
  const [, comment = ''] = sourceOf(file).split('// Prints:\n');
  return comment.replaceAll(/^\/\/ /gm, '');
}

export function linesOf(file: string): number {
  return sourceOf(file).split('\n').length - 1;
}

function sourceOf(file: string): string {
  return readFileSync(join(EXAMPLES, file), 'utf8');
}
