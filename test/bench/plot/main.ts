// Draws what `npm run bench -- --json FILE` wrote into docs/bench/, and writes its tables into docs/performance.md.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { readMicroFile } from '../micro/run-cases.js';
import { readResult } from '../result-file.js';
import { replaceBlock } from './block.js';
import { drawCharts } from './charts.js';
import { writeMicroTable } from './micro-table.js';
import { writeTables } from './tables.js';
import { writeTargets } from './targets.js';

const CHARTS = join('docs', 'bench');
const DOCUMENT = join('docs', 'performance.md');

async function plot(): Promise<void> {
  const { values, positionals } = parseArgs({ options: { micro: { type: 'string' } }, allowPositionals: true });
  const [file] = positionals;
  if (file === undefined) throw new Error('npm run bench:plot -- FILE [--micro FILE]: files that --json wrote');
  const result = await readResult(file);
  let document = await readFile(DOCUMENT, 'utf8');
  document = replaceBlock(document, 'targets', writeTargets(result));
  document = replaceBlock(document, 'tables', writeTables(result));
  if (values.micro !== undefined) {
    document = replaceBlock(document, 'micro', writeMicroTable(await readMicroFile(values.micro)));
  }
  await writeFile(DOCUMENT, await format(document, { ...(await resolveConfig(DOCUMENT)), filepath: DOCUMENT }));
  await mkdir(CHARTS, { recursive: true });
  for (const [name, svg] of drawCharts(result)) await writeFile(join(CHARTS, name), svg);
}

try {
  await plot();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
