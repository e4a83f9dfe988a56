import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  isHostAllowed,
  isLoopback,
  isOriginListed,
  isOwnOrigin,
  LOOPBACK_HOSTS,
  parseAllowedHost,
} from './allowed-hosts.js';
import type { AllowedHost } from './allowed-hosts.js';

function list(...entries: readonly string[]): readonly AllowedHost[] {
  return entries.map(parseAllowedHost).filter((entry) => entry !== undefined);
}

describe('the Host check', () => {
  it.each(['localhost', 'LOCALHOST:3000', 'localhost.:3000', '127.0.0.1:3000', '[::1]:3000', '[::1]'])(
    'lets %s through by default',
    (header) => expect(isHostAllowed(header, LOOPBACK_HOSTS)).toBe(true),
  );

  it.each([
    undefined,
    '',
    'evil.example',
    'localhost.evil.example',
    'evil.example:3000',
    '127.0.0.1.nip.io',
    'localhost:3000@evil.example',
    'evil.example#localhost',
    'http://localhost',
    'localhost:x',
    '::1',
    '0.0.0.0:3000',
    '127.0.0.2',
    'localhost, evil.example',
  ])('refuses %s by default', (header) => expect(isHostAllowed(header, LOOPBACK_HOSTS)).toBe(false));

  it('compares the port if an entry has one', () => {
    expect(isHostAllowed('a.example:8443', list('a.example:8443'))).toBe(true);
    expect(isHostAllowed('a.example:8080', list('a.example:8443'))).toBe(false);
    expect(isHostAllowed('a.example', list('a.example:8443'))).toBe(false);
    expect(isHostAllowed('a.example', list('https://a.example'))).toBe(true);
    expect(isHostAllowed('a.example:443', list('https://a.example'))).toBe(true);
    expect(isHostAllowed('a.example:3000', list('https://a.example'))).toBe(false);
  });
});

describe('an Origin', () => {
  it.each([
    ['http://localhost:3000', 'localhost:3000'],
    ['http://LOCALHOST:3000', 'localhost.:3000'],
    ['http://[::1]:3000', '[::1]:3000'],
    ['http://localhost', 'localhost'],
    ['http://localhost', 'localhost:80'],
    ['https://a.example', 'a.example'],
  ])('is the app’s own if host and port are equal: %s at %s', (origin, host) =>
    expect(isOwnOrigin(origin, host)).toBe(true),
  );

  it.each([
    ['http://localhost:9999', 'localhost:3000'],
    ['http://localhost', 'localhost:3000'],
    ['http://localhost:3000', 'localhost'],
    ['http://127.0.0.1:3000', 'localhost:3000'],
    ['http://evil.example:3000', 'localhost:3000'],
    ['null', 'localhost:3000'],
    ['null', 'null'],
    ['localhost', 'localhost'],
    ['file://localhost', 'localhost'],
    ['', 'localhost'],
    ['http://localhost', undefined],
  ])('is foreign otherwise: %s at %s', (origin, host) => expect(isOwnOrigin(origin, host)).toBe(false));

  it.each(['http://localhost', 'http://localhost:3000', 'null', '', 'file://', undefined])(
    'is not allowed by a host name alone: %s',
    (header) => expect(isOriginListed(header, LOOPBACK_HOSTS)).toBe(false),
  );

  it('is allowed by its name and port, and by its scheme if the entry has one', () => {
    const allowed = list('https://a.example', 'http://b.example:81', 'c.example:82');
    expect(isOriginListed('https://a.example', allowed)).toBe(true);
    expect(isOriginListed('http://a.example', allowed)).toBe(false);
    expect(isOriginListed('https://a.example:444', allowed)).toBe(false);
    expect(isOriginListed('http://b.example:81', allowed)).toBe(true);
    expect(isOriginListed('http://b.example', allowed)).toBe(false);
    expect(isOriginListed('https://c.example:82', allowed)).toBe(true);
    expect(isOriginListed('https://c.example', allowed)).toBe(false);
  });
});

describe('an entry of HTTP_ALLOWED_HOSTS', () => {
  it.each(['a.example', 'a.example:80', '10.0.0.1', '[fe80::1]:3000', 'https://a.example'])('can be %s', (entry) =>
    expect(parseAllowedHost(entry)).toBeDefined(),
  );

  it.each(['', '*', '*.example', 'a example', 'https://a.example/path', 'a.example:port', '::1'])(
    'cannot be "%s"',
    (entry) => expect(parseAllowedHost(entry)).toBeUndefined(),
  );
});

it.each([
  ['localhost', true],
  ['127.0.0.1', true],
  ['127.1.2.3', true],
  ['::1', true],
  ['0.0.0.0', false],
  ['::', false],
  ['10.0.0.1', false],
  ['127.evil.example', false],
])('returns whether %s is this machine only: %s', (host, expected) => expect(isLoopback(host)).toBe(expected));

describe('any Host or Origin', () => {
  it('counts as this machine only if it has a name of this machine', () => {
    const local = fc.constantFrom('localhost', '127.0.0.1', '[::1]');
    const header = fc
      .tuple(
        fc.constantFrom('', 'http://', 'https://'),
        fc.string({ maxLength: 12 }),
        local,
        fc.string({ maxLength: 12 }),
      )
      .map(([scheme, before, name, behind]) => scheme + before + name + behind);
    fc.assert(
      fc.property(header, (text) => {
        const isThisMachine = /^(?:https?:\/\/)?(?:localhost|127\.0\.0\.1|\[::1\])\.?(?::\d{1,5})?$/i.test(text);
        const isAllowed = isHostAllowed(text, LOOPBACK_HOSTS) || isOwnOrigin(text, 'localhost');
        expect(isAllowed && !isThisMachine).toBe(false);
      }),
      { numRuns: 1_000 },
    );
  });
});
