// Preloaded into an app: it holds a secret in every form that is searched for, as a control, and writes its heap to a
// file when it gets SIGUSR2.
import { writeFileSync } from 'node:fs';
import { writeHeapSnapshot } from 'node:v8';

import { formsOf } from '../support/secret-forms.js';

const { PLANTED_SECRET = '', PLANTED_HEAP = '' } = process.env;

Object.assign(globalThis, { planted: formsOf(Buffer.from(PLANTED_SECRET, 'hex')) });
process.on('SIGUSR2', () => {
  writeHeapSnapshot(PLANTED_HEAP);
  writeFileSync(`${PLANTED_HEAP}.done`, '');
});
