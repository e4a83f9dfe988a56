import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { describeMachine, machineLines } from '../machine.js';
import { summarize } from '../measure.js';
import { readCount } from '../options.js';
import { format } from '../report.js';
import { codecCases } from './codecs.js';
import { envelopeCases } from './envelope.js';
import { handshakeCases } from './handshake.js';
import { rateRatios, runCase, type MicroResult } from './run-cases.js';
import { sealCases } from './seal.js';

const { values } = parseArgs({
  options: { rounds: { type: 'string' }, 'run-ms': { type: 'string' }, json: { type: 'string' } },
});
const plan = {
  rounds: readCount('--rounds', values.rounds, 5),
  runMs: readCount('--run-ms', values['run-ms'], 100),
};
const machine = await describeMachine();
for (const line of machineLines(machine)) console.log(line);
console.log(`rounds: ${plan.rounds} of ${plan.runMs} ms each`);
const results: MicroResult[] = [];
for (const microCase of [...sealCases(), ...codecCases(), ...handshakeCases(), ...envelopeCases()]) {
  const result = await runCase(microCase, plan);
  results.push(result);
  for (const [way, nanos] of Object.entries(result.nanos)) {
    const summary = summarize(nanos);
    if (summary !== undefined) console.log(`${result.name} ${way} ns: ${format(summary, 0)}`);
  }
  for (const { ways, ratio } of rateRatios(result))
    console.log(`${result.name} ${ways} rate_ratio: ${format(ratio, 2)}`);
}
if (values.json !== undefined)
  await writeFile(values.json, `${JSON.stringify({ machine, plan, cases: results }, null, 1)}\n`);
