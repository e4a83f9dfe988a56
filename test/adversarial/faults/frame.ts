// Faults in the frames of open connections: docs/protocol.md §6.1, §6.4, §6.5.
import type { ClientFault, Fault, ServerFault } from '../../support/fault.js';
import {
  answer,
  asked,
  data,
  encoded,
  event,
  first,
  FIRST,
  fragments,
  frame,
  GOAWAY,
  LAST,
  MORE,
  noted,
  request,
} from '../../support/rogue-words.js';

const open = { at: 'open' } as const;
const BYTE = Buffer.of(0);
const malformed = (what: string, record: Buffer): Fault => ({
  ...open,
  name: `sends ${what} [R6.2]`,
  does: (rogue) => rogue.say(record),
  ends: 'ERR_FRAME_MALFORMED',
});
const unexpected = (what: string, ...records: readonly Buffer[]): Fault => ({
  ...open,
  name: `sends ${what}`,
  does: (rogue) => rogue.say(...records),
  ends: 'ERR_FRAME_UNEXPECTED',
});

const BOTH: readonly Fault[] = [
  malformed('a frame of kind 0', data(frame(0, 1, BYTE))),
  malformed('a frame of kind 8', data(frame(8, 1, BYTE))),
  malformed('a truncated header', data(frame('ACK', 1).subarray(0, 7))),
  malformed('a payload that is longer than its record', data(frame('REQUEST', 1, BYTE, 0, 2))),
  malformed('a payload of 65535 bytes that are not there', data(frame('NEXT', 1, BYTE, 0, 0xffff))),
];

/** One kind and flag after the other that §6.1 has no line for. */
function malformedForms(kinds: readonly ('REQUEST' | 'EVENT' | 'NEXT' | 'ERROR' | 'COMPLETE' | 'CANCEL' | 'ACK')[]) {
  return kinds.flatMap((kind) => {
    const isSignal = kind === 'COMPLETE' || kind === 'CANCEL' || kind === 'ACK';
    const payload = isSignal ? Buffer.alloc(0) : BYTE;
    const flags = [
      FIRST,
      8,
      MORE | LAST,
      FIRST | LAST,
      ...(kind === 'NEXT' ? [] : [LAST]),
      ...(isSignal ? [MORE] : []),
    ];
    return [
      ...flags.map((flag) => malformed(`${kind} with flags ${flag}`, data(frame(kind, 1, payload, flag)))),
      malformed(`${kind} of stream 0`, data(frame(kind, 0, payload))),
      isSignal
        ? malformed(`${kind} with a payload`, data(frame(kind, 1, BYTE)))
        : malformed(`${kind} without a payload`, data(frame(kind, 1))),
      ...(isSignal
        ? []
        : [
            malformed(`a first fragment of ${kind} without a piece`, data(first(kind, 1, 70_000, Buffer.alloc(0)))),
            malformed(`a first fragment of ${kind} that fits into one frame`, data(first(kind, 1, 65_494))),
          ]),
      ...(isSignal ? [] : [malformed(`an empty fragment of ${kind}`, data(frame(kind, 1, Buffer.alloc(0), MORE)))]),
    ];
  });
}

/** Violations of the rules for the fragments of one message. */
function brokenFragments(kind: 'REQUEST' | 'EVENT' | 'NEXT' | 'ERROR'): readonly Fault[] {
  const begun = data(first(kind, 1));
  const rest = (bytes: number, flags = 0): Buffer => data(frame(kind, 1, Buffer.alloc(bytes), flags));
  const half = rest(35_000, MORE);
  return [
    unexpected(`a repeated first fragment of ${kind} [R6.26]`, begun, begun),
    unexpected(`MORE of ${kind} without a first fragment [R6.27]`, rest(1, MORE)),
    unexpected(`more of ${kind} than it announced [R6.28]`, begun, half, rest(35_000)),
    unexpected(`all of ${kind}, and MORE [R6.28]`, begun, half, rest(34_999, MORE)),
    unexpected(`the end of ${kind} a byte too soon [R6.28]`, begun, half, rest(34_998)),
  ];
}

export const CLIENT_FRAME_FAULTS: readonly ClientFault[] = [
  ...BOTH,
  ...brokenFragments('REQUEST'),
  ...brokenFragments('EVENT'),
  ...malformedForms(['REQUEST', 'EVENT', 'CANCEL']),
  unexpected('NEXT [R6.2]', answer()),
  unexpected('ERROR [R6.2]', data(frame('ERROR', 1, encoded('x')))),
  unexpected('COMPLETE [R6.2]', data(frame('COMPLETE', 1))),
  unexpected('ACK [R6.2]', data(frame('ACK', 1))),
  unexpected('CANCEL for a stream that was never opened [R6.5]', data(frame('CANCEL', 1))),
  unexpected('an event in the middle of a request [R6.9]', data(first('REQUEST', 1)), event()),
  unexpected('a request in the middle of an event [R6.9]', data(first('EVENT', 1)), request()),
  {
    ...unexpected('a second request on a stream that runs [R6.10]', request(1, asked('hang')), request()),
    runs: 1,
    endsAtOnce: true,
  },
  {
    ...unexpected('an event on a stream that runs [R6.10]', request(1, asked('hang')), event()),
    runs: 1,
    endsAtOnce: true,
  },
  unexpected('a request after its GOAWAY [R5.17]', GOAWAY, request()),
  unexpected('an event after its GOAWAY [R5.17]', GOAWAY, event()),
  {
    ...open,
    name: 'opens a stream after it answered GOAWAY [R5.17]',
    options: { timeouts: { sessionSoftAgeMs: 50 } },
    does: async (rogue) => {
      await rogue.hears('GOAWAY');
      rogue.say(GOAWAY, request());
    },
    ends: 'ERR_FRAME_UNEXPECTED',
    hears: ['GOAWAY'],
  },
  {
    ...open,
    name: 'opens more streams than may be in flight [R6.16]',
    options: { limits: { maxInFlight: 2 } },
    does: (rogue) => rogue.say(...[1, 2, 3].map((stream) => request(stream, asked('hang')))),
    ends: 'ERR_IN_FLIGHT_LIMIT',
    runs: 2,
    endsAtOnce: true,
  },
  {
    ...open,
    name: 'announces a message that is larger than the server accepts [R6.11]',
    options: { limits: { maxMessageBytes: 65_536 } },
    does: (rogue) => rogue.say(...fragments('REQUEST', 1, asked('count', Buffer.alloc(65_536)), 700)),
    ends: 'ERR_MESSAGE_TOO_LARGE',
  },
  {
    ...open,
    name: 'announces more bytes of messages than its limit [R6.19]',
    options: { limits: { maxIncompleteBytes: 139_999 } },
    does: (rogue) => rogue.say(...[1, 2].map((stream) => data(first('REQUEST', stream, 70_000)))),
    ends: 'ERR_INCOMPLETE_LIMIT',
  },
  {
    ...open,
    name: 'never completes a message [R6.12]',
    options: { timeouts: { messageMs: 50 } },
    does: (rogue) => rogue.say(data(first('REQUEST', 1))),
    ends: 'ERR_MESSAGE_STALLED',
  },
  {
    ...open,
    name: 'hides a stalled message behind late frames of another stream [R6.7]',
    options: { timeouts: { messageMs: 100 } },
    does: async (rogue) => {
      rogue.say(request(1, asked('hang')), data(frame('CANCEL', 1)), data(first('REQUEST', 2)));
      const talk = setInterval(() => rogue.say(data(first('REQUEST', 1), frame('REQUEST', 1, BYTE, MORE))), 5);
      await rogue.left;
      clearInterval(talk);
    },
    ends: 'ERR_MESSAGE_STALLED',
    runs: 1,
    endsAtOnce: true,
  },
  {
    ...open,
    name: 'sends a request and its CANCEL in one record, and gets no answer [R6.6]',
    does: async (rogue) => {
      rogue.say(data(frame('REQUEST', 1, asked()), frame('CANCEL', 1)), request(2));
      await rogue.hears('NEXT 2');
      rogue.leave();
    },
    ends: 'agreed',
    hears: ['NEXT 2', 'CLOSE'],
    runs: 2,
    endsAtOnce: true,
  },
  {
    ...open,
    name: 'reuses a stream, cancels it late and fills a gap, without effect [R6.7]',
    does: async (rogue) => {
      rogue.say(request(5));
      await rogue.hears('NEXT 5');
      rogue.say(request(5), data(frame('CANCEL', 5)), request(3), event(4), request(6, asked('count', 2)));
      await rogue.hears('NEXT 6');
      rogue.leave();
    },
    ends: 'agreed',
    hears: ['NEXT 5', 'NEXT 6', 'CLOSE'],
    runs: 2,
  },
];

const emits = { victim: 'emits' } as const;
export const SERVER_FRAME_FAULTS: readonly ServerFault[] = [
  ...BOTH,
  ...brokenFragments('NEXT'),
  ...brokenFragments('ERROR'),
  ...malformedForms(['NEXT', 'ERROR', 'COMPLETE', 'ACK']),
  unexpected('REQUEST [R6.2]', request()),
  unexpected('EVENT [R6.2]', event(1, noted())),
  unexpected('CANCEL [R6.2]', data(frame('CANCEL', 1))),
  unexpected('an answer to what was never asked [R6.6]', answer(2)),
  unexpected('ACK for a request [R6.14]', data(frame('ACK', 1))),
  { ...unexpected('NEXT for an event [R6.14]', answer()), ...emits },
  { ...unexpected('COMPLETE for an event [R6.14]', data(frame('COMPLETE', 1))), ...emits },
  unexpected('COMPLETE in the middle of a value [R6.9]', data(first('NEXT', 1), frame('COMPLETE', 1))),
  unexpected('a value in the middle of an error [R6.9]', data(first('ERROR', 1)), answer()),
  unexpected('COMPLETE in the middle of an error [R6.9]', data(first('ERROR', 1), frame('COMPLETE', 1))),
  {
    ...open,
    name: 'sends a value that is larger than announced, in fragments [R6.11]',
    options: { limits: { maxMessageBytes: 65_536 } },
    does: (rogue) => rogue.say(...fragments('NEXT', 1, encoded(Buffer.alloc(65_536)), 16_384)),
    ends: 'ERR_MESSAGE_TOO_LARGE',
  },
  {
    ...open,
    name: 'never completes a value [R6.12]',
    options: { timeouts: { messageMs: 50 } },
    does: (rogue) => rogue.say(data(first('NEXT', 1))),
    ends: 'ERR_MESSAGE_STALLED',
  },
  {
    ...open,
    name: 'drops a value for an error, and sends more to the same stream without effect [R6.9, R6.7]',
    does: async (rogue) => {
      rogue.say(data(first('NEXT', 1), frame('ERROR', 1, encoded('gone'))));
      rogue.say(answer(), data(frame('COMPLETE', 1), first('ERROR', 1), frame('ACK', 1)));
      rogue.leave();
      await rogue.hears('CLOSE');
    },
    ends: 'gone',
    hears: ['CLOSE'],
  },
];
