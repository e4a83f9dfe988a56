import { TransportError } from '@sealwire/channel';

import { stringifyJson } from './json.js';

/**
 * Returns the route of a pattern, the text by which a handler is found. Members of an object that JSON omits do not count,
 * as with Nest's TCP: `{ cmd: 'sum', version: undefined }` and `{ cmd: 'sum' }` are one pattern.
 *
 * @param normalize - Nest's normalization of a JSON value.
 * @throws {TransportError} `ERR_MESSAGE_UNSERIALIZABLE` - JSON cannot express the pattern.
 */
export function routeOf(pattern: unknown, normalize: (pattern: never) => unknown): string {
  if (typeof pattern === 'string') return pattern;
  const text = stringifyJson(pattern);
  if (text === undefined)
    throw new TransportError('ERR_MESSAGE_UNSERIALIZABLE', 'JSON cannot express the pattern', { sent: false });
  const route = normalize(JSON.parse(text) as never);
  return typeof route === 'string' ? route : text;
}
