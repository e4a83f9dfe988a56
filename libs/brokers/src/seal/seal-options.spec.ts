import { expect, it } from 'vitest';

import { resolveSealOptions } from './seal-options.js';
import type { SealOptions } from './seal-options.js';

it.each([
  [{}, 'seal.service is missing'],
  [{ service: '' }, 'seal.service is empty'],
  [{ service: 'x'.repeat(256) }, 'must be a name of 1 to 255 bytes'],
  [{ service: 'orders', mode: 'open' }, "mode is an unknown string; it must be 'seal' or 'open-only'"],
  [{ service: 'orders', bind: 'topic' }, "it must be 'subject', 'pattern' or 'none'"],
  [{ service: 'orders', maxAgeMs: 0 }, 'maxAgeMs is 0'],
  [{ service: 'orders', replayStore: {} }, 'an object with the method claim'],
  [{ service: 'orders', maxAge: 1 }, 'did you mean seal.maxAgeMs?'],
])('the options %j are refused', (options, message) => {
  expect(() => resolveSealOptions(options as unknown as SealOptions)).toThrow(message);
});
