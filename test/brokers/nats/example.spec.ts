import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { buildExamples, printedBy, promisedBy } from '../../examples/example.js';
import { Engine, isMissing, skipNote } from '../engines/engine.js';
import { NATS } from '../engines/nats.js';

const FILE = '07-through-nats.ts';

describe.skipIf(isMissing(NATS))(`the example ${FILE}${skipNote(NATS)}`, () => {
  let engine: Engine;

  beforeAll(async () => {
    await buildExamples();
    engine = await Engine.start(NATS);
  });

  afterAll(() => engine.stop());

  it('prints what its last lines say', async () => {
    expect(await printedBy(FILE, { NATS_URL: engine.url })).toBe(promisedBy(FILE));
  });
});
