// Draws what `npm run bench -- --json FILE` wrote into docs/bench/, and writes its tables into docs/performance.md and, of
// the groups `scale` and `scale-broker`, into docs/scaling.md.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { SCALE, SCALE_BROKER } from '../groups.js';
import { readMicroFile } from '../micro/run-cases.js';
import { readResult, type BenchResult } from '../result-file.js';
import { replaceBlock } from './block.js';
import { drawCharts } from './charts.js';
import { writeMicroTable } from './micro-table.js';
import { writeTables } from './tables.js';
import { writeTargets } from './targets.js';

const CHARTS = join('docs', 'bench');
const DOCUMENT = join('docs', 'performance.md');
const SCALING = join('docs', 'scaling.md');
const SCALING_BLOCKS: readonly string[] = [SCALE, SCALE_BROKER];

async function plot(): Promise<void> {
  const options = { micro: { type: 'string' }, scale: { type: 'string' } } as const;
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const [file] = positionals;
  if (file === undefined && values.scale === undefined)
    throw new Error('npm run bench:plot -- [FILE [--micro FILE]] [--scale FILE]: files that --json wrote');
  if (file !== undefined) await plotAll(await readResult(file), values.micro);
  if (values.scale !== undefined) {
    const result = await readResult(values.scale);
    const measured = SCALING_BLOCKS.filter((block) => result.groups.some(({ name }) => name === block));
    if (measured.length === 0)
      throw new Error(`${values.scale} has no group ${SCALE}: npm run bench -- --only ${SCALE}`);
    for (const block of measured) {
      const groups = result.groups.filter(({ name }) => name === block);
      await rewrite(SCALING, (document) => replaceBlock(document, block, writeTables({ ...result, groups })));
    }
  }
}

async function plotAll(result: BenchResult, microFile: string | undefined): Promise<void> {
  const micro = microFile === undefined ? undefined : writeMicroTable(await readMicroFile(microFile));
  const groups = result.groups.filter(({ name }) => !SCALING_BLOCKS.includes(name));
  await rewrite(DOCUMENT, (document) => {
    const withTargets = replaceBlock(document, 'targets', writeTargets(result));
    const withTables = replaceBlock(withTargets, 'tables', writeTables({ ...result, groups }));
    return micro === undefined ? withTables : replaceBlock(withTables, 'micro', micro);
  });
  await mkdir(CHARTS, { recursive: true });
  for (const [name, svg] of drawCharts(result)) await writeFile(join(CHARTS, name), svg);
}

async function rewrite(file: string, change: (document: string) => string): Promise<void> {
  const document = change(await readFile(file, 'utf8'));
  await writeFile(file, await format(document, { ...(await resolveConfig(file)), filepath: file }));
}

try {
  await plot();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
