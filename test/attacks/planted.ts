// Preloaded into an app: it holds and prints a secret in every form that is searched for, as a control, and writes its
// heap to a file when it gets SIGUSR2.
import { writeFileSync } from 'node:fs';
import { writeHeapSnapshot } from 'node:v8';

import { formsOf } from '../support/secret-forms.js';

const { PLANTED_SECRET = '', PLANTED_HEAP = '' } = process.env;

const secret = Buffer.from(PLANTED_SECRET, 'hex');
const forms = formsOf(secret);

Object.assign(globalThis, { planted: forms });
for (const stream of [process.stdout, process.stderr]) {
  for (const form of Object.values(forms)) stream.write(`planted ${form}\n`);
  stream.write(Buffer.concat([Buffer.from('planted '), secret, Buffer.from('\n')]));
}
process.on('SIGUSR2', () => {
  writeHeapSnapshot(PLANTED_HEAP);
  writeFileSync(`${PLANTED_HEAP}.done`, '');
});
