import type { KeysChange } from '@sealwire/crypto';
import { beforeEach, describe, expect, it } from 'vitest';

import type { TransportError } from '../errors.js';
import { LinkKeys } from './link-key.js';

const change = (what: Partial<KeysChange>): KeysChange => ({
  added: [],
  removed: [],
  revoked: [],
  updated: [],
  primaryChanged: false,
  primary: 'old',
  ...what,
});
const replaced = change({ primaryChanged: true, primary: 'new' });

let warnings: string[];
let keys: LinkKeys;

beforeEach(() => {
  warnings = [];
  keys = new LinkKeys((message) => warnings.push(message));
});

/** A connection with the key `id`, and what is done to it. */
function connect(id: string, key = keys.begin(id)) {
  const done: unknown[] = [];
  key.connected({
    age: () => done.push('renew'),
    destroy: ({ code }: TransportError) => {
      done.push(code);
      key.end();
    },
  });
  return { key, done };
}

describe('a new primary key', () => {
  it('renews the connections with another key, and no others', () => {
    const [old, current] = [connect('old'), connect('new')];
    keys.apply(replaced);
    expect([old.done, current.done]).toEqual([['renew'], []]);
    expect([old.key.isOutdated, current.key.isOutdated]).toEqual([true, false]);
  });

  it('marks a dial that began before, and not one that began later', () => {
    const [before, other] = [keys.begin('old'), keys.begin('new')];
    keys.apply(replaced);
    const later = keys.begin('old');
    expect([before, other, later].map(({ isOutdated }) => isOutdated)).toEqual([true, false, false]);
    keys.apply(change({ primaryChanged: true, primary: 'old' }));
    expect(before.isOutdated).toBe(false);
  });

  it('does nothing to a connection that has ended', () => {
    const { key, done } = connect('old');
    key.end();
    keys.apply(replaced);
    expect(done).toEqual([]);
  });

  it('that is missing leaves the connections as they are, and is logged once', () => {
    const { done } = connect('old');
    keys.apply(change({ removed: ['old'], primaryChanged: true, primary: undefined }));
    keys.apply(change({ removed: ['other'], primary: undefined }));
    expect(done).toEqual([]);
    expect(warnings).toEqual([
      'The keyring no longer has a primary key: open connections stay in use, but new ones fail until a key is primary again',
    ]);
  });
});

describe('a keyring without a primary key', () => {
  const none = 'The keyring no longer has a primary key: the client cannot connect until a key is primary again';

  it('keeps no connection in use whose key was revoked with the same change', () => {
    connect('old');
    keys.apply(change({ revoked: ['old'], primaryChanged: true, primary: undefined }));
    expect(warnings).toEqual([none]);
  });

  it('keeps no connection in use if there is none, also while a dial is running', () => {
    keys.begin('old');
    keys.apply(change({ removed: ['old'], primaryChanged: true, primary: undefined }));
    expect(warnings).toEqual([none]);
  });
});

describe('a revoked key', () => {
  it('destroys its connections, which are not renewed', () => {
    const [old, current] = [connect('old'), connect('new')];
    keys.apply({ ...replaced, revoked: ['old'] });
    expect([old.done, current.done]).toEqual([['ERR_KEY_REVOKED'], []]);
  });

  it('destroys the connection of a dial that began before', () => {
    const key = keys.begin('old');
    keys.apply(change({ revoked: ['old'] }));
    expect(key.isOutdated).toBe(true);
    expect(connect('old', key).done).toEqual(['ERR_KEY_REVOKED']);
  });

  it('destroys its connections also if there is no primary key', () => {
    const { done } = connect('old');
    keys.apply(change({ revoked: ['old'], primaryChanged: true, primary: undefined }));
    expect(done).toEqual(['ERR_KEY_REVOKED']);
  });
});
