import { expect, it } from 'vitest';

import { roundTripMs } from './round-trip.js';

it('measures a round trip of less than a millisecond, which the NATS library reports as 0', async () => {
  expect(await roundTripMs({ rtt: () => Promise.resolve(0) })).toBeGreaterThan(0);
});
