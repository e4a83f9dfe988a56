import { expect, it } from 'vitest';
import { selfShares } from './profile.js';

it('a profile gives each function its share of the non-idle time', () => {
  const frame = (functionName: string) => ({ functionName, url: '', lineNumber: 0 });
  const nodes = ['(root)', 'seal', 'open', '(idle)'].map((name, id) => ({ id, callFrame: frame(name) }));
  // `seal` runs from two callers: two nodes of one function.
  const profile = {
    nodes: [...nodes, { id: 9, callFrame: frame('seal') }],
    samples: [1, 3, 2, 9],
    timeDeltas: [10, 500, 10, 20],
  };
  expect(selfShares(profile)).toEqual([
    { name: 'seal', share: 0.75 },
    { name: 'open', share: 0.25 },
  ]);
});
