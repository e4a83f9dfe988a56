import { describe, expect, it } from 'vitest';

import { networkOf, Strangers } from './strangers.js';
import type { Stranger, StrangerProgress } from './strangers.js';

/** Strangers that tell by their names who had to go, in that order. Each comes when the others had their time. */
function crowd(max: number, maxOfNetwork: number) {
  const strangers = new Strangers(max, maxOfNetwork);
  const evicted: string[] = [];
  const add = (name: string, network: string | undefined, progress: StrangerProgress = 'silent'): Stranger => {
    const stranger: Stranger = { network, progress, evict: () => evicted.push(name) };
    if (strangers.add(stranger)) strangers.trim();
    return stranger;
  };
  return { strangers, evicted, add };
}

describe('strangers, who are not authenticated,', () => {
  it('are all kept up to the limit', () => {
    const { strangers, evicted, add } = crowd(3, 2);
    for (const [name, network] of Object.entries({ a1: 'a', a2: 'a', b1: 'b' })) add(name, network);
    expect([strangers.count, evicted]).toEqual([3, []]);
  });

  it('are evicted oldest first when there are too many in all, from any network', () => {
    const { strangers, evicted, add } = crowd(3, 2);
    for (const network of ['a', 'b', 'c', 'd', 'e']) add(network, network);
    expect([strangers.count, evicted]).toEqual([3, ['a', 'b']]);
  });

  it('are evicted oldest first within a network that has too many', () => {
    const { strangers, evicted, add } = crowd(10, 2);
    add('b1', 'b');
    for (const name of ['a1', 'a2', 'a3', 'a4']) add(name, 'a');
    expect([strangers.count, evicted]).toEqual([3, ['a1', 'a2']]);
  });

  it('are evicted one at a time if both the network and the whole are full', () => {
    const { strangers, evicted, add } = crowd(3, 2);
    for (const [name, network] of Object.entries({ b1: 'b', a1: 'a', a2: 'a', a3: 'a' })) add(name, network);
    expect([strangers.count, evicted]).toEqual([3, ['a1']]);
  });

  it.each(['a', undefined])('are evicted in the order silent, begun, verified: network %s', (network) => {
    const { evicted, add } = crowd(4, 4);
    add('verified 1', network, 'verified');
    add('begun 1', network, 'begun');
    add('silent', network, 'silent');
    add('begun 2', network, 'begun');
    for (let count = 1; count <= 4; count++) add(`newer ${count}`, network, 'verified');
    expect(evicted).toEqual(['silent', 'begun 1', 'begun 2', 'verified 1']);
  });

  it('are evicted when verified rather than the new one, which had no time to send anything', () => {
    const { evicted, add } = crowd(2, 2);
    for (const name of ['1', '2']) add(name, 'a', 'verified');
    add('comes', 'a', 'silent');
    add('comes too', 'a', 'silent');
    expect(evicted).toEqual(['1', 'comes']);
  });

  it('are kept if they have sent a verified message 1 in time, even beyond the limit of their network', () => {
    const { strangers, evicted } = crowd(12, 2);
    const verified = new Set<string>();
    for (const name of ['1', '2', '3', '4', '5', '6']) {
      const isCrowded = strangers.add({
        network: 'a',
        get progress() {
          return verified.has(name) ? 'verified' : 'silent';
        },
        evict: () => evicted.push(name),
      });
      expect(isCrowded).toBe(Number(name) > 2);
      verified.add(name);
    }
    strangers.trim();
    expect([strangers.count, evicted]).toEqual([6, []]);
  });

  it('are evicted oldest first in a network that has half of all places, whatever they have sent', () => {
    const { strangers, evicted, add } = crowd(6, 2);
    for (const name of ['1', '2', '3', '4']) add(name, 'a', 'verified');
    expect([strangers.count, evicted]).toEqual([3, ['1']]);
  });

  it('are evicted while silent only if a place is left for new ones', () => {
    const { evicted, add } = crowd(20, 4);
    for (const name of ['1', '2', '3', '4']) add(name, 'a', 'verified');
    for (const name of ['5', '6', '7', '8']) add(name, 'a', 'silent');
    expect(evicted).toEqual(['5', '6']);
  });

  it('are kept if their network is within its bounds and another network is not', () => {
    const { strangers, evicted, add } = crowd(4, 2);
    add('b1', 'b');
    for (const name of ['a1', 'a2', 'a3', 'a4']) {
      strangers.add({ network: 'a', progress: 'begun', evict: () => evicted.push(name) });
    }
    expect([strangers.count, evicted]).toEqual([3, ['a1', 'a2']]);
  });

  it('are ranked when a place is needed, not when they connect', () => {
    const { strangers, evicted, add } = crowd(2, 2);
    let progress: StrangerProgress = 'silent';
    strangers.add({
      network: 'a',
      get progress() {
        return progress;
      },
      evict: () => evicted.push('grown'),
    });
    add('begun', 'a', 'begun');
    progress = 'verified';
    add('next', 'a');
    expect(evicted).toEqual(['begun']);
  });

  it('are counted only in all on a Unix domain socket, which has no network', () => {
    const { strangers, evicted, add } = crowd(3, 1);
    for (const name of ['1', '2', '3', '4']) add(name, undefined);
    expect([strangers.count, evicted]).toEqual([3, ['1']]);
  });

  it('leave their places free when they are authenticated, and cannot be evicted afterwards', () => {
    const { strangers, evicted, add } = crowd(2, 2);
    const proved = add('a1', 'a');
    add('a2', 'a');
    strangers.delete(proved);
    strangers.delete(proved);
    add('a3', 'a');
    expect([strangers.count, evicted]).toEqual([2, []]);
    add('a4', 'a');
    expect([strangers.count, evicted]).toEqual([2, ['a2']]);
  });

  it('are all removed in the order of their arrival', () => {
    const { strangers, evicted, add } = crowd(9, 9);
    for (const network of ['a', 'b', 'a']) add(network, network);
    strangers.evictAll();
    expect([strangers.count, evicted]).toEqual([0, ['a', 'b', 'a']]);
  });
});

describe('the network of an address', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::FFFF:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::9', '2001:db8:0:0::/64'],
    ['2001:db8::', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ])('of %s is %s', (address, network) => expect(networkOf(address)).toBe(network));

  it('distinguishes two /64 networks', () =>
    expect(networkOf('2001:db8:1:2::1')).not.toBe(networkOf('2001:db8:1:3::1')));
});
