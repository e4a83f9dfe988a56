import 'reflect-metadata';

import { transformPatternToRoute } from '@nestjs/microservices/utils/index.js';
import { describe, expect, it } from 'vitest';

import { UsageError } from './failure.js';
import { parsePattern } from './pattern.js';

describe('parsePattern', () => {
  it.each(['{ "b": 1, "a": "x" }', '{"cmd":"a\\"b\\\\","n":{"z":true,"y":"1"}}', '{"a":null}', '{}'])(
    'returns the route of Nest for %s',
    (text) => {
      expect(parsePattern(text)).toBe(transformPatternToRoute(JSON.parse(text)));
    },
  );

  it('returns a text as it is, and refuses half of an object', () => {
    expect(parsePattern('sum ["')).toBe('sum ["');
    expect(() => parsePattern('{"a"')).toThrow(UsageError);
  });
});
