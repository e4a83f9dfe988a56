import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';

void test('the libraries without Nest bring no other package', async () => {
  const folders = await readdir(new URL('node_modules', import.meta.url));
  assert.deepEqual(
    folders.filter((name) => !name.startsWith('.')),
    ['@sealwire'],
  );
});
