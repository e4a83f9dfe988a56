import { rateRatios, type MicroFile } from '../micro/run-cases.js';
import { summarize } from '../measure.js';
import { formatNumber, machineItems, table } from './tables.js';

/** What `bench:micro --json` wrote, as Markdown. */
export function writeMicroTable({ machine, plan, cases }: MicroFile): string {
  const rows = cases.flatMap((result) => {
    const ratios = rateRatios(result);
    return Object.entries(result.nanos).map(([way, nanos], index) => {
      const summary = summarize(nanos);
      const ratio = ratios[index]?.ratio;
      return [
        result.name,
        way,
        summary === undefined ? '-' : formatNumber(summary.median / 1000),
        ratio === undefined ? '1' : `${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)} to ${ratio.max.toFixed(2)})`,
      ];
    });
  });
  return [...machineItems(machine), `- ${plan.rounds} rounds of ${plan.runMs} ms for each way`, '']
    .concat(table(['work', 'way', 'µs', 'rate, the last way being 1'], rows))
    .join('\n');
}
