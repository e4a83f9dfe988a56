import { describe, expect, it } from 'vitest';

import { UsageError } from '../failure.js';
import { parseTarget } from './target.js';

describe('parseTarget', () => {
  it.each([
    ['server:80', { host: 'server', port: 80 }],
    ['[::1]:8080', { host: '::1', port: 8080 }],
    ['[fe80::1%eth0]:1', { host: 'fe80::1%eth0', port: 1 }],
    ['unix:/run/a b', { path: '/run/a b' }],
  ])('parses %s', (text, target) => {
    expect(parseTarget(text)).toEqual(target);
  });

  it.each([
    'server',
    ':80',
    'server:',
    'server:0',
    'server:65536',
    '::1:80',
    '[::1]',
    'unix:',
    'unix:\0a',
    'a b:1',
    'http://a:1',
  ])('refuses %j', (text) => {
    expect(() => parseTarget(text)).toThrow(UsageError);
  });
});
