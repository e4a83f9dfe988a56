// What `npm start` says when one of its apps ends.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from './script-run.js';

const { explainEnd } = (await import(join(ROOT, 'scripts/lib/explain-end.mjs'))) as {
  explainEnd: (name: string, how: string, errors: readonly string[]) => string;
};

const LOGGED = [
  '[server] 7  - 11/30/2026, 3:36:06 AM   ERROR [RpcExceptionsHandler] Error: a handler, long ago',
  'Error: a handler, long ago',
  '    at SumController.sum (sum.controller.ts:9:11)',
];

/** What Node itself prints of a program that fails. */
function printedBy(program: string): readonly string[] {
  return spawnSync(process.execPath, ['-e', program], { encoding: 'utf8' }).stderr.split('\n');
}

describe('the end of an app', () => {
  it.each([
    ['an error', "throw new TypeError('the last one')", 'TypeError: the last one'],
    ['an error with a cause', "throw new Error('outer', { cause: new Error('inner') })", 'Error: outer'],
    ['a rejection', "Promise.reject(new RangeError('rejected'))", 'RangeError: rejected'],
    ['an error with a code', "require('node:fs').readFileSync('/none')", 'Error: ENOENT: no such file or directory'],
  ])('by %s that nobody caught is explained by it, not by what a handler threw before', (_, program, reason) => {
    const explained = explainEnd('server', 'exit code 1', [...LOGGED, ...printedBy(program)]);
    expect(explained).toMatch(`The server app ended (exit code 1): ${reason}`);
  });

  it('by a signal is not explained by what was logged before', () => {
    expect(explainEnd('server', 'SIGKILL', LOGGED)).toBe('The server app ended (SIGKILL)');
  });

  it('for want of memory is explained by that', () => {
    const lines = [...LOGGED, '<--- Last few GCs --->', 'FATAL ERROR: Reached heap limit - out of memory', ' 1: 0xb8d'];
    expect(explainEnd('server', 'SIGABRT', lines)).toMatch(/: FATAL ERROR: Reached heap limit - out of memory$/);
  });

  it('before it was ready is explained by its own line, whatever Node warns of', () => {
    const warning = ['(node:7) ExperimentalWarning: something', '(Use `node --trace-warnings ...` to show where)'];
    expect(explainEnd('server', 'exit code 1', [...warning, 'SEALWIRE_PORT must be a port'])).toBe(
      'SEALWIRE_PORT must be a port',
    );
  });
});
