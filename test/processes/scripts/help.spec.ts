// `--help` of every npm script of this project that runs a command of scripts/.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ScriptHere } from './script-here.js';
import { ROOT, ScriptRun } from './script-run.js';

interface Usage {
  readonly script: string;
  readonly options?: object;
  readonly help?: 'own';
}

const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
const { USAGES } = (await import(join(ROOT, 'scripts/lib/usages.mjs'))) as { USAGES: Record<string, Usage> };

/** The npm scripts that run a command, with its name. */
const COMMANDS = Object.entries(scripts).flatMap(([script, line]) => {
  const [, name] = /^node scripts\/run\.mjs (\S+)$/.exec(line) ?? [];
  return name === undefined ? [] : [[script, name] as const];
});

/** `npm run keys` has the help of the command `sealwire`, which cli/keygen.spec.ts shows. */
const OWN = COMMANDS.filter(([, name]) => USAGES[name]?.help !== 'own');

describe('the help', () => {
  it('exists for every command, and names its npm script', () => {
    const called = COMMANDS.map(([script, name]) => [
      name,
      ['start', 'test'].includes(script) ? `npm ${script}` : `npm run ${script}`,
    ]);
    const described = Object.entries(USAGES).map(([name, { script }]) => [name, script]);
    expect(Object.fromEntries(described)).toEqual(Object.fromEntries(called));
    expect(Object.values(scripts).filter((line) => line.includes('run.mjs'))).toHaveLength(COMMANDS.length);
  });

  it.each(OWN)('of npm run %s has its options and an example, and the exit code is 0', async (script, name) => {
    const help = await (await ScriptHere.load(name)).run(['--help']);
    expect(help).toMatchObject({ status: 0, stderr: '' });
    expect(help.stdout).toMatch(new RegExp(`^Usage: npm (?:run )?${script} -- [^]*\n  --help +prints this text\n`));
    expect(help.stdout).toMatch(new RegExp(`\nExample:\n  .*npm (?:run )?${script}`));
    for (const option of Object.keys(USAGES[name]?.options ?? {})) expect(help.stdout).toContain(`\n  --${option} `);
    expect(await (await ScriptHere.load(name)).run(['-h'])).toEqual(help);
  });

  it.each(OWN.filter(([, name]) => USAGES[name]?.options !== undefined))(
    'is named by npm run %s if an option is unknown, in one line',
    async (script, name) => {
      const { status, stdout, stderr } = await (await ScriptHere.load(name)).run(['--no-such-option']);
      expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
      expect(stderr).toMatch(
        new RegExp(`^Unknown option '--no-such-option': see \`npm (?:run )?${script} -- --help\`\\.\n$`),
      );
    },
  );

  it('is not needed for a wrong name of an example: the error lists all, in one line', async () => {
    const run = new ScriptRun([join(ROOT, 'scripts/run.mjs'), 'example', '1'], {}, ROOT);
    const stderr = expect.stringMatching(/^There is no such program; choose one of 01-swap-from-tcp\.js, .*\n$/);
    expect(await run.end()).toMatchObject({ status: 1, stderr });
  });

  it('is printed in any folder, before anything is built', async () => {
    const run = new ScriptRun([join(ROOT, 'scripts/run.mjs'), 'fuzz', '--help'], {}, '/');
    expect(await run.end()).toMatchObject({ status: 0, stdout: expect.stringMatching(/^Usage: /), stderr: '' });
  });
});
