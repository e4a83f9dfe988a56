import { readdirSync } from 'node:fs';

import { beforeAll, describe, expect, it } from 'vitest';

import { buildExamples, EXAMPLES, linesOf, printedBy, promisedBy } from '../support/example.js';

/** The example that needs a broker is tested with the brokers. */
const NEEDS_A_BROKER = '07-through-nats.ts';

describe('the example', () => {
  beforeAll(buildExamples);

  const examples = readdirSync(EXAMPLES).filter((file) => file.endsWith('.ts'));

  it.each(examples.filter((file) => file !== NEEDS_A_BROKER))('%s prints what its last lines say', async (file) => {
    expect(await printedBy(file)).toBe(promisedBy(file));
  });

  it.each(examples)('%s has fewer than 100 lines', (file) => {
    expect(promisedBy(file)).not.toBe('');
    expect(linesOf(file)).toBeLessThan(100);
  });
});
