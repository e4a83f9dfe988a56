// Bad content of messages, which is not a failure of the connection: docs/protocol.md §6.3, §6.7, §6.8.
import type { ClientFault, ServerFault } from '../../support/fault.js';
import {
  asked,
  data,
  encoded,
  event,
  first,
  fragments,
  frame,
  LAST,
  message,
  MORE,
  noted,
  request,
} from '../../support/rogue-words.js';

const TIMEOUT = Buffer.alloc(4);
const SEQUENCE = Buffer.alloc(8);
const BAD_UTF8 = Buffer.of(0xc3, 0x28);
const DEEP = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;

/** The bytes in place of the data. */
const BAD_DATA: Readonly<Record<string, Buffer>> = {
  'no data at all': Buffer.alloc(0),
  'data in an unknown encoding': Buffer.of(5, 1),
  'data in encoding 255': Buffer.of(255),
  'undefined with an extra byte': Buffer.of(2, 0),
  'JSON that is not well formed': Buffer.from('\0{"a":'),
  'JSON of no bytes': Buffer.of(0),
  'JSON in bad UTF-8': Buffer.concat([Buffer.from('\0"'), BAD_UTF8, Buffer.from('"')]),
  'JSON with __proto__': Buffer.from('\0{"a":[{"__proto__":{"polluted":1}}]}'),
  'JSON with an escaped __proto__': Buffer.from('\0{"\\u005f_proto__":{"polluted":1}}'),
  'JSON with constructor.prototype': Buffer.from('\0{"constructor":{"prototype":{"polluted":1}}}'),
};

const withData = (prefix: Buffer, pattern: string): [string, Buffer][] =>
  Object.entries(BAD_DATA).map(([what, bytes]) => [what, message(prefix, pattern, '', bytes)]);

const BAD_HEADS = (prefix: Buffer, pattern: string): [string, Buffer][] => [
  ['a truncated head', prefix],
  ['a pattern of more bytes than there are', Buffer.concat([prefix, Buffer.of(0xff, 0xff, 1)])],
  ['metadata of more bytes than there are', Buffer.concat([prefix, Buffer.of(0, 1, 0x70, 0xff, 0xff, 1)])],
  ['a pattern in bad UTF-8', message(prefix, BAD_UTF8, '')],
  ['metadata in bad UTF-8', message(prefix, pattern, BAD_UTF8)],
  ['metadata that is a list', message(prefix, pattern, '[1]')],
  ['metadata that is null', message(prefix, pattern, 'null')],
  ['metadata with __proto__', message(prefix, pattern, '{"__proto__":{"polluted":"1"}}')],
];

function malformedRequest([what, payload]: readonly [string, Buffer]): ClientFault {
  return {
    at: 'open',
    name: `asks with ${what} [R6.3]`,
    does: async (rogue) => {
      rogue.say(request(1, payload), request(2));
      await rogue.hears('ERROR 1 ERR_MESSAGE_MALFORMED');
      await rogue.hears('NEXT 2');
      rogue.leave();
    },
    ends: 'agreed',
    hears: ['ERROR 1 ERR_MESSAGE_MALFORMED', 'NEXT 2', 'CLOSE'],
    runs: 1,
  };
}

function malformedEvent([what, payload]: readonly [string, Buffer]): ClientFault {
  return {
    at: 'open',
    name: `sends an event with ${what} [R6.3, R6.38]`,
    does: async (rogue) => {
      rogue.say(event(1, payload), event(2, noted(1)));
      await rogue.hears('ACK 2');
      rogue.leave();
    },
    ends: 'agreed',
    hears: ['ERROR 1 ERR_MESSAGE_MALFORMED', 'ACK 2', 'CLOSE'],
    runs: 1,
  };
}

const far = (sequence: bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(sequence);
  return message(bytes, 'noted', '');
};

/** The first fragments of a request with a timeout, which has more. */
const LONG = asked('count', 'x'.repeat(70_000), 300);
const SLOW = fragments('REQUEST', 1, LONG, 60_000).slice(0, 1);
const DRIPPED = Array.from(LONG.subarray(0, 10), (byte, at) =>
  data(at === 0 ? first('REQUEST', 1, LONG.length, Buffer.of(byte)) : frame('REQUEST', 1, Buffer.of(byte), MORE)),
);

/** For one message of the largest size. */
const LITTLE_MEMORY = { limits: { maxMessageBytes: 100_000, maxIncompleteBytesTotal: 100_000 } };

export const CLIENT_MESSAGE_FAULTS: readonly ClientFault[] = [
  malformedRequest(['fewer bytes than a timeout has', Buffer.alloc(3)]),
  ...[...BAD_HEADS(TIMEOUT, 'count'), ...withData(TIMEOUT, 'count')].map(malformedRequest),
  malformedEvent(['fewer bytes than a sequence has', Buffer.alloc(7)]),
  malformedEvent(['a sequence of 2^53', far(2n ** 53n)]),
  malformedEvent(['a sequence of 2^64 - 1', far(2n ** 64n - 1n)]),
  ...[...BAD_HEADS(SEQUENCE, 'noted'), ...withData(SEQUENCE, 'noted')].map(malformedEvent),
  agreed(
    'asks with lists in lists, 100,000 deep, which is good JSON [R6.3]',
    [...fragments('REQUEST', 1, message(TIMEOUT, 'count', '', Buffer.from(`\0${DEEP}`)), 60_000)],
    ['CREDIT', 'NEXT 1'],
    { runs: 1 },
  ),
  agreed(
    'sends the same event three times [R6.22]',
    [event(1, noted(7)), event(2, noted(7)), event(3, noted(7))],
    ['ACK 1', 'ACK 2', 'ACK 3'],
    { runs: 1 },
  ),
  agreed(
    'sends an event that lies below the window [R6.22]',
    [event(1, noted(2 ** 53 - 1)), event(2, noted(0))],
    ['ACK 1', 'ACK 2'],
    { options: { limits: { maxInFlight: 4 } }, runs: 1 },
  ),
  agreed(
    'sends an event again, with content that cannot be read: it is acknowledged, whatever else is wrong [R6.38]',
    [event(1, noted(0)), event(2, message(SEQUENCE, 'noted', '', Buffer.of(255)))],
    ['ACK 1', 'ACK 2'],
    { runs: 1 },
  ),
  agreed(
    'uses the sequence of an event that had no handler, which is recorded [R6.22]',
    [event(1, message(SEQUENCE, 'nobody', '')), event(2, noted(0))],
    ['ACK 1', 'ACK 2'],
    { runs: 0 },
  ),
  agreed(
    'uses the sequence of an event that was refused, which is not recorded [R6.39]',
    [event(1, message(SEQUENCE, 'noted', '', Buffer.of(255))), event(2, noted(0))],
    ['ERROR 1 ERR_MESSAGE_MALFORMED', 'ACK 2'],
    { runs: 1 },
  ),
  {
    at: 'open',
    name: 'begins more messages than the memory holds: they are refused, and the first one continues [R6.30]',
    options: LITTLE_MEMORY,
    does: async (rogue) => {
      const held = fragments('REQUEST', 1, asked('count', Buffer.alloc(90_000)), 60_000);
      rogue.say(...held.slice(0, 1), data(first('REQUEST', 2, 90_000, Buffer.alloc(30_000))));
      await rogue.hears('ERROR 2 ERR_OVERLOADED');
      rogue.say(data(first('EVENT', 3, 90_000, noted(5).subarray(0, 7))));
      rogue.say(data(frame('EVENT', 3, noted(5).subarray(7), MORE)));
      await rogue.hears('ERROR 3 ERR_OVERLOADED');
      rogue.say(...held.slice(1));
      await rogue.hears('NEXT 1');
      rogue.say(event(4, noted(5)));
      await rogue.hears('ACK 4');
      rogue.leave();
    },
    ends: 'agreed',
    hears: ['ERROR 2 ERR_OVERLOADED', 'ERROR 3 ERR_OVERLOADED', 'NEXT 1', 'ACK 4', 'CLOSE'],
    logs: ['ERR_OVERLOADED'],
    runs: 2,
  },
  {
    at: 'open',
    name: 'sends a known event for which there is no memory: it is acknowledged [R6.30, R6.38]',
    options: LITTLE_MEMORY,
    does: async (rogue) => {
      rogue.say(event(1, noted(5)), data(first('REQUEST', 2, 100_000, Buffer.alloc(60_000))));
      rogue.say(data(first('EVENT', 3, 90_000, noted(5))));
      await rogue.hears('ACK 3');
      rogue.say(data(frame('CANCEL', 2)));
      rogue.leave();
    },
    ends: 'agreed',
    hears: ['ACK 1', 'ACK 3', 'CLOSE'],
    runs: 1,
  },
  {
    at: 'open',
    name: 'begins an event with a sequence of 2^53 for which there is no memory: it is refused as malformed [R6.38]',
    options: LITTLE_MEMORY,
    does: async (rogue) => {
      rogue.say(data(first('REQUEST', 1, 100_000, Buffer.alloc(60_000))));
      rogue.say(data(first('EVENT', 2, 90_000, far(2n ** 53n))));
      await rogue.hears('ERROR 2 ERR_MESSAGE_MALFORMED');
      rogue.say(data(frame('CANCEL', 1)));
      rogue.leave();
    },
    ends: 'agreed',
    hears: ['ERROR 2 ERR_MESSAGE_MALFORMED', 'CLOSE'],
  },
  {
    at: 'open',
    name: 'sends too many bytes of a message for which there is no memory: it is still checked [R6.30]',
    options: LITTLE_MEMORY,
    does: (rogue) =>
      rogue.say(
        data(first('REQUEST', 1, 100_000, Buffer.alloc(60_000))),
        data(
          first('REQUEST', 2, 90_000, Buffer.alloc(20_000)),
          frame('REQUEST', 2, Buffer.of(0), MORE),
          first('REQUEST', 2, 90_000),
        ),
      ),
    ends: 'ERR_FRAME_UNEXPECTED',
    logs: ['ERR_OVERLOADED', 'ERR_FRAME_UNEXPECTED'],
  },
  ...[2 ** 31, 2 ** 32 - 1].map((timeoutMs): ClientFault => ({
    at: 'open',
    name: `asks with a timeout of ${timeoutMs} ms [R6.20]`,
    does: async (rogue) => {
      rogue.say(request(1, asked('later', 30, timeoutMs)));
      await rogue.hears('NEXT 1');
      rogue.leave();
    },
    ends: 'agreed',
    hears: ['NEXT 1', 'CLOSE'],
    runs: 1,
  })),
  agreed(
    'asks with a timeout that passes [R6.20]',
    [request(1, asked('hang', 1, 300))],
    ['ERROR 1 ERR_REQUEST_TIMEOUT'],
    { runs: 1 },
  ),
  ...Object.entries({ 'one fragment': SLOW, 'fragments of 1 byte': DRIPPED }).map(([what, begun]): ClientFault => ({
    at: 'open',
    name: `has sent ${what} of a request when its timeout passes [R6.20]`,
    does: async (rogue) => {
      rogue.say(...begun);
      await rogue.hears('ERROR 1 ERR_REQUEST_TIMEOUT');
      rogue.say(data(frame('REQUEST', 1, Buffer.of(0), MORE), frame('REQUEST', 1, Buffer.of(0))), request(2));
      await rogue.hears('NEXT 2');
      rogue.leave();
    },
    ends: 'agreed',
    hears: ['ERROR 1 ERR_REQUEST_TIMEOUT', 'NEXT 2', 'CLOSE'],
    runs: 1,
  })),
  agreed(
    'begins a request with a timeout, and cancels it before that passes [R6.20]',
    [...SLOW, data(frame('CANCEL', 1)), request(2, asked('later', 600))],
    ['NEXT 2'],
    { runs: 1 },
  ),
  {
    at: 'open',
    name: 'requests and cancels in a loop, beyond the limit of running handlers [R6.17]',
    options: { limits: { maxInFlight: 4, maxRunning: 8 } },
    does: async (rogue) => {
      // The answer to the last request of each round shows that the handlers of the others have begun.
      for (const [begin, last] of [
        [1, 4],
        [5, 8],
        [9, 11],
      ] as const) {
        const hanging = Array.from({ length: last - begin }, (_, i) => begin + i);
        rogue.say(...hanging.map((stream) => request(stream, asked('hang'))), request(last));
        await rogue.hears(last === 11 ? 'ERROR 11 ERR_OVERLOADED' : `NEXT ${last}`);
        rogue.say(data(...hanging.map((stream) => frame('CANCEL', stream))));
      }
      rogue.leave();
    },
    ends: 'agreed',
    hears: ['NEXT 4', 'NEXT 8', 'ERROR 11 ERR_OVERLOADED', 'CLOSE'],
    logs: ['ERR_OVERLOADED'],
    runs: 10,
  },
];

/** It says all this, waits for the last answer, and leaves in peace. */
function agreed(
  name: string,
  contents: readonly Buffer[],
  hears: readonly [string, ...string[]],
  rest: Pick<ClientFault, 'options' | 'runs'>,
): ClientFault {
  return {
    at: 'open',
    name,
    does: async (rogue) => {
      rogue.say(...contents);
      await rogue.hears(hears.at(-1) ?? '');
      rogue.leave();
    },
    ends: 'agreed',
    hears: [...hears, 'CLOSE'],
    ...rest,
  };
}

/** The call fails, CANCEL goes out where the stream is still open, and the connection lives: the next call is answered. */
function malformedAnswer([what, bytes]: readonly [string, Buffer]): ServerFault {
  return {
    at: 'open',
    name: `answers with ${what} [R6.3]`,
    does: async (rogue) => {
      rogue.say(data(frame('NEXT', 1, bytes)));
      await rogue.hears('CANCEL 1');
      rogue.leave();
    },
    ends: 'ERR_MESSAGE_MALFORMED',
    hears: ['CANCEL 1', 'CLOSE'],
  };
}

const REFUSALS = [
  'ERR_OVERLOADED',
  'ERR_FORBIDDEN',
  'ERR_SHUTTING_DOWN',
  'ERR_MESSAGE_MALFORMED',
  'ERR_MESSAGE_TOO_COMPLEX',
];
const NO_REFUSALS: Readonly<Record<string, unknown>> = {
  'a text': 'x',
  'a code for answers': { status: 'error', message: 'x', code: 'ERR_STREAM_CUT' },
  'the other code for answers': { status: 'error', message: 'x', code: 'ERR_ANSWER_OVERFLOW' },
  'a code that the table does not have': { status: 'error', message: 'x', code: 'ERR_INTERNAL' },
  'an additional member': { status: 'error', message: 'x', code: 'ERR_OVERLOADED', application: true },
};

/** Without a code in `ends` the event fails without one. The connection survives and is closed gracefully. */
function answeredEvent(
  name: string,
  error: Buffer,
  ends = 'The server answered the event with an error that the protocol does not define for events',
): ServerFault {
  return {
    at: 'open',
    name,
    victim: 'emits',
    does: async (rogue) => {
      rogue.say(data(frame('ERROR', 1, error)));
      rogue.leave();
      await rogue.hears('CLOSE');
    },
    ends,
    hears: ['CLOSE'],
  };
}

export const SERVER_MESSAGE_FAULTS: readonly ServerFault[] = [
  ...Object.entries(BAD_DATA)
    .filter(([, bytes]) => bytes.length > 0)
    .map(malformedAnswer),
  {
    at: 'open',
    name: 'answers with a malformed last value, and receives no CANCEL [R6.3]',
    does: async (rogue) => {
      rogue.say(data(frame('NEXT', 1, Buffer.of(9), LAST)));
      rogue.leave();
      await rogue.hears('CLOSE');
    },
    ends: 'ERR_MESSAGE_MALFORMED',
    hears: ['CLOSE'],
  },
  {
    at: 'open',
    name: 'fails with an unreadable error [R6.3]',
    does: async (rogue) => {
      rogue.say(data(frame('ERROR', 1, Buffer.of(0))));
      rogue.leave();
      await rogue.hears('CLOSE');
    },
    ends: 'ERR_MESSAGE_MALFORMED',
    hears: ['CLOSE'],
  },
  ...REFUSALS.map((code) =>
    answeredEvent(
      `refuses an event with ${code} [R6.14, R6.33]`,
      encoded({ status: 'error', message: 'whatever it says', code }),
      code === 'ERR_SHUTTING_DOWN' ? 'answered' : code, // the honest server gets the event next
    ),
  ),
  ...Object.entries(NO_REFUSALS).map(([what, error]) =>
    answeredEvent(`answers an event with an error that is not a refusal: ${what} [R6.14, R6.33]`, encoded(error)),
  ),
  answeredEvent('answers an event with an error that cannot be read [R6.3, R6.14]', Buffer.of(0)),
  {
    at: 'open',
    name: 'answers with an encoded undefined, which is a value',
    does: (rogue) => {
      rogue.say(data(frame('NEXT', 1, encoded(undefined), LAST)));
      rogue.leave();
    },
    ends: 'answered',
    hears: ['CLOSE'],
  },
];
