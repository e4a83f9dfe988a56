// .github/workflows/ci.yml runs the commands of .ci/run, and no others.
import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

const INSTALL = 'npm ci'; // .ci/run leaves that to `npm test`
const OF_THE_MATRIX = '${{ matrix.tests }}';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const workflow = read('.github/workflows/ci.yml');

/** The commands of .ci/run, without the reporters that it adds. */
function checksOf(script: string): readonly string[] {
  const lines = [...script.matchAll(/^(?:check|suite) \w+ \d+ (.+)$/gm)];
  return lines.map(([, command = '']) => command.replace(/(?: --)?(?: "\$[^"]+")+$/, ''));
}

function stepsOf(text: string): readonly string[] {
  const commands = [...text.matchAll(/^ +- (?:run: )?((?:npm|bash|\$).+)$/gm)].map(([, command = '']) => command);
  return commands.filter((command) => command !== INSTALL && command !== OF_THE_MATRIX);
}

describe('the workflow', () => {
  it('runs every command of .ci/run, once, and no other', () => {
    const checks = checksOf(read('.ci/run'));
    expect(checks.length).toBeGreaterThan(5);
    expect([...stepsOf(workflow)].sort()).toEqual([...checks].sort());
  });

  it('runs only npm scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Readonly<Record<string, string>> };
    const names = [...workflow.matchAll(/npm (?:run --silent )?([\w:-]+)/g)].map(([, name = '']) => name);
    expect(names.filter((name) => name !== 'ci' && !(name in scripts))).toEqual([]);
  });

  it('names every action by a whole version', () => {
    const actions = [...workflow.matchAll(/uses: (\S+)/g)].map(([, action = '']) => action);
    expect(actions).not.toEqual([]);
    expect(actions.filter((action) => !/@v\d+\.\d+\.\d+$/.test(action))).toEqual([]);
  });

  it('tests with every supported Node, and with Nest 11 and 12', () => {
    expect(workflow).toContain('node: [20, 22, 24, 26]');
    expect(workflow).toContain('npm run --silent test:nest11');
  });
});
