import { describe, expect, it } from 'vitest';

import { callerOf } from './caller.js';

describe('a caller', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['2001:db8:0:1:aaaa:bbbb:cccc:dddd', '2001:db8:0:1::/64'],
    ['2001:DB8:0000:0001::1', '2001:db8:0:1::/64'],
    ['2001:db8::1:0:0:1', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
  ])('is identified by its address, or by its IPv6 network: %s', (ip, caller) => {
    expect(callerOf({ ip })).toBe(caller);
    expect(callerOf({ socket: { remoteAddress: ip } })).toBe(caller);
  });

  it('keeps its name after its socket is closed', () => {
    expect(callerOf({ socket: { remoteAddress: undefined } })).toBe('unknown');
  });
});
