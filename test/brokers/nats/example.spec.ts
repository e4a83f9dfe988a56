import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { buildExamples, printedBy, promisedBy } from '../../support/example.js';
import { IS_NEST_11 } from '../conformance/nest-version.js';
import { Engine, isMissing, skipNote } from '../engines/engine.js';
import { NATS } from '../engines/nats.js';

const FILE = '07-through-nats.ts';

/** The examples are written for the Nest of this repository. */
const NOTE = IS_NEST_11 ? ' (skipped: Nest 12 only)' : skipNote(NATS);

describe.skipIf(IS_NEST_11 || isMissing(NATS))(`the example ${FILE}${NOTE}`, () => {
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
