import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { readExamples } from './readme.js';

const run = promisify(execFile);

void test('the example of @sealwire/envelope seals and opens a message, and refuses its copy', async () => {
  const [example] = await readExamples('envelope');
  assert.ok(example.trimEnd().split('\n').length <= 20);
  await writeFile('envelope-example.js', example);
  const { stdout } = await run(process.execPath, ['envelope-example.js']);
  assert.match(stdout, /^\{"id":17\} by [0-9a-f]{16}\nrefused: replay\n$/);
});
