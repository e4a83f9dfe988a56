// What the trigger of apps/client reads: the path, the query, the headers and the body of a call.
import { parse as parseQueryString } from 'node:querystring';
import { isHostAllowed, isOwnOrigin, LOOPBACK_HOSTS } from '../../../apps/client/src/http/allowed-hosts.js';
import { parseBody, parseMessage } from '../../../apps/client/src/trigger/body.js';
import { parsePattern } from '../../../apps/client/src/trigger/pattern.js';
import { parseEmitQuery, parseSendQuery, parseStreamQuery } from '../../../apps/client/src/trigger/query.js';
import { mutate } from '../mutate.js';
import type { Random } from '../../support/random.js';
import { hold, OK, outcomeOf } from '../target.js';
import type { Target } from '../target.js';
import { anyJson, judgeJson } from './json.js';

export const patterns: Target = {
  name: 'HTTP patterns',
  codes: ['ERR_BAD_PATTERN'],
  make(random) {
    const text = Buffer.from(random.pick(['echo', '{"cmd":"sum"}', '{', '', '..', '{"a":{"b":1}}']));
    return random.oneIn(2) ? anyJson(random) : mutate(text, random);
  },
  run(input) {
    const text = input.toString();
    return outcomeOf(() => {
      const pattern = parsePattern(text);
      if (!text.startsWith('{')) hold(pattern === text, 'a pattern that is a text was changed');
      else hold(judgeJson(Buffer.from(text)) !== false, 'a pattern that JSON should not give');
    });
  },
};

const QUERIES = [
  'all=1&timeout=5',
  'timeout=86400001',
  'data={"a":1}',
  'data=null',
  'all=',
  'timeout=1&timeout=2',
] as const;

export const queries: Target = {
  name: 'HTTP queries',
  codes: ['ERR_BAD_REQUEST'],
  make(random) {
    if (random.oneIn(3)) return Buffer.concat([Buffer.from('data='), anyJson(random)]);
    const query = Buffer.from(random.pick(QUERIES));
    return random.oneIn(4) ? query : mutate(query, random);
  },
  run(input) {
    const query = parseQueryString(input.toString('latin1'));
    const outcomes = [parseSendQuery, parseEmitQuery, parseStreamQuery].map((parse) =>
      outcomeOf(() => {
        const { timeout } = parse(query);
        hold(Number.isInteger(timeout) && timeout >= 1 && timeout <= 86_400_000, `a timeout of ${timeout} ms`);
      }),
    );
    return outcomes.find((outcome) => outcome !== OK) ?? OK;
  },
};

const TYPES = [
  'application/json',
  'application/json; charset=utf-8',
  'Application/JSON;charset="UTF8"',
  'application/octet-stream',
  'text/plain',
  '',
] as const;

/** content type ‖ 00 ‖ body */
export const bodies: Target = {
  name: 'HTTP bodies',
  codes: ['ERR_BAD_BODY', 'ERR_MEDIA_TYPE'],
  make(random) {
    const type = Buffer.from(random.pick(TYPES));
    return Buffer.concat([random.oneIn(6) ? mutate(type, random) : type, Buffer.alloc(1), anyJson(random)]);
  },
  run(input) {
    const end = Math.max(0, input.indexOf(0));
    const body = input.subarray(end + 1);
    return outcomeOf(() => {
      const value = parseBody(input.toString('latin1', 0, end), body);
      hold(value !== null, 'null is not a message');
      const isJson = !(value instanceof Uint8Array) && body.length > 0;
      if (isJson) hold(judgeJson(body) !== false, 'a body that JSON should not give');
      outcomeOf(() => parseMessage(value));
    });
  },
};

const HOSTS = ['localhost:3000', '127.0.0.1', '[::1]:80', 'http://localhost:3000', 'null', 'evil.example'] as const;

/** Judged by a reading of its own, not by the parser that is judged. */
const LOCAL_HOST = /^(?:localhost|127\.0\.0\.1|\[::1\])\.?(?::\d{1,5})?$/i;
const LOCAL_ORIGIN = /^https?:\/\/localhost\.?(?::\d{1,5})?$/i;

export const hosts: Target = {
  name: 'HTTP hosts',
  codes: [],
  make: (random: Random) => mutate(Buffer.from(random.pick(HOSTS)), random),
  run(input) {
    const text = input.toString('latin1');
    if (isHostAllowed(text, LOOPBACK_HOSTS)) hold(LOCAL_HOST.test(text), `${text} is taken for this machine`);
    if (isOwnOrigin(text, 'localhost')) hold(LOCAL_ORIGIN.test(text), `${text} is taken for a page of this machine`);
    return OK;
  },
};
