import { readFile } from 'node:fs/promises';

/** Returns the examples in the README of a package. */
export async function readExamples(name) {
  const readme = await readFile(new URL(`node_modules/@sealwire/${name}/README.md`, import.meta.url), 'utf8');
  return [...readme.matchAll(/```js\n([^]*?)```/g)].map(([, block]) => block);
}
