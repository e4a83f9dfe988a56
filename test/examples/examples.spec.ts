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

  it('that needs a broker names the remedy in one line if there is none', async () => {
    const failed = expect.objectContaining({
      code: 1,
      stderr: expect.stringMatching(/^No NATS server at .*: start one, or set NATS_URL .*\n$/),
    });
    await expect(printedBy(NEEDS_A_BROKER, { NATS_URL: 'nats://127.0.0.1:1' })).rejects.toEqual(failed);
  });

  it.each(examples)('%s has fewer than 100 lines', (file) => {
    expect(promisedBy(file)).not.toBe('');
    expect(linesOf(file)).toBeLessThan(100);
  });
});
