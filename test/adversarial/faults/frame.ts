// Faults in the frames of open connections: docs/protocol.md §6.1, §6.4, §6.5.
import { encodeData } from '../../../libs/transport/src/frame/payload.js';
import type { ClientFault, Fault, ServerFault } from '../../support/fault.js';
import {
  answer,
  asked,
  data,
  event,
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
  malformed('a header cut short', data(frame('ACK', 1).subarray(0, 7))),
  malformed('a payload that is longer than its record', data(frame('REQUEST', 1, BYTE, 0, 2))),
  malformed('a payload of 65535 bytes that are not there', data(frame('NEXT', 1, BYTE, 0, 0xffff))),
];

/** One kind and flag after the other that §6.1 has no line for. */
function malformedForms(kinds: readonly ('REQUEST' | 'EVENT' | 'NEXT' | 'ERROR' | 'COMPLETE' | 'CANCEL' | 'ACK')[]) {
  return kinds.flatMap((kind) => {
    const isSignal = kind === 'COMPLETE' || kind === 'CANCEL' || kind === 'ACK';
    const payload = isSignal ? Buffer.alloc(0) : BYTE;
    const flags = [0x04, 0x80, MORE | LAST, ...(kind === 'NEXT' ? [] : [LAST]), ...(isSignal ? [MORE] : [])];
    return [
      ...flags.map((flag) => malformed(`${kind} with flags ${flag}`, data(frame(kind, 1, payload, flag)))),
      malformed(`${kind} of stream 0`, data(frame(kind, 0, payload))),
      isSignal
        ? malformed(`${kind} with a payload`, data(frame(kind, 1, BYTE)))
        : malformed(`${kind} without a payload`, data(frame(kind, 1))),
      ...(isSignal ? [] : [malformed(`an empty fragment of ${kind}`, data(frame(kind, 1, Buffer.alloc(0), MORE)))]),
    ];
  });
}

export const CLIENT_FRAME_FAULTS: readonly ClientFault[] = [
  ...BOTH,
  ...malformedForms(['REQUEST', 'EVENT', 'CANCEL']),
  unexpected('NEXT [R6.2]', answer()),
  unexpected('ERROR [R6.2]', data(frame('ERROR', 1, encodeData('x')))),
  unexpected('COMPLETE [R6.2]', data(frame('COMPLETE', 1))),
  unexpected('ACK [R6.2]', data(frame('ACK', 1))),
  unexpected('CANCEL for a stream that was never opened [R6.5]', data(frame('CANCEL', 1))),
  unexpected('an event in the middle of a request [R6.9]', data(frame('REQUEST', 1, BYTE, MORE)), event()),
  unexpected('a request in the middle of an event [R6.9]', data(frame('EVENT', 1, BYTE, MORE)), request()),
  {
    ...unexpected('a second request on a stream that runs [R6.10]', request(1, asked('hang')), request()),
    runs: 1,
  },
  {
    ...unexpected('an event on a stream that runs [R6.10]', request(1, asked('hang')), event()),
    runs: 1,
  },
  unexpected('a request after its GOAWAY [R5.17]', GOAWAY, request()),
  unexpected('an event after its GOAWAY [R5.17]', GOAWAY, event()),
  {
    ...open,
    name: 'opens a stream after it answered GOAWAY [R5.17]',
    limits: { sessionSoftAgeMs: 50 },
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
    limits: { maxInFlight: 2 },
    does: (rogue) => rogue.say(...[1, 2, 3].map((stream) => request(stream, asked('hang')))),
    ends: 'ERR_IN_FLIGHT_LIMIT',
    runs: 2,
  },
  {
    ...open,
    name: 'sends a message of more bytes than announced, in small fragments [R6.11]',
    limits: { maxMessageBytes: 65_536 },
    does: (rogue) => rogue.say(...fragments('REQUEST', 1, asked('count', Buffer.alloc(65_536)), 700)),
    ends: 'ERR_MESSAGE_TOO_LARGE',
  },
  {
    ...open,
    name: 'begins more bytes of messages than it may [R6.19]',
    limits: { maxIncompleteBytes: 65_536 },
    does: (rogue) => rogue.say(...[1, 2].map((stream) => data(frame('REQUEST', stream, Buffer.alloc(40_000), MORE)))),
    ends: 'ERR_INCOMPLETE_LIMIT',
  },
  {
    ...open,
    name: 'never ends a message that it has begun [R6.12]',
    limits: { messageTimeoutMs: 50 },
    does: (rogue) => rogue.say(data(frame('REQUEST', 1, BYTE, MORE))),
    ends: 'ERR_MESSAGE_STALLED',
  },
  {
    ...open,
    name: 'hides a stalled message behind late frames of another stream [R6.7]',
    limits: { messageTimeoutMs: 100 },
    does: async (rogue) => {
      rogue.say(request(1, asked('hang')), data(frame('CANCEL', 1)), data(frame('REQUEST', 2, BYTE, MORE)));
      const talk = setInterval(() => rogue.say(data(frame('REQUEST', 1, BYTE, MORE))), 5);
      await rogue.left;
      clearInterval(talk);
    },
    ends: 'ERR_MESSAGE_STALLED',
    runs: 1,
  },
  {
    ...open,
    name: 'asks and cancels in one record, which is answered by nothing [R6.6]',
    does: async (rogue) => {
      rogue.say(data(frame('REQUEST', 1, asked()), frame('CANCEL', 1)), request(2));
      await rogue.hears('NEXT 2');
      rogue.leave();
    },
    ends: 'agreed',
    hears: ['NEXT 2', 'CLOSE'],
    runs: 2,
  },
  {
    ...open,
    name: 'uses a stream again, cancels it late and fills a gap, all of which counts for nothing [R6.7]',
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
  ...malformedForms(['NEXT', 'ERROR', 'COMPLETE', 'ACK']),
  unexpected('REQUEST [R6.2]', request()),
  unexpected('EVENT [R6.2]', event(1, noted())),
  unexpected('CANCEL [R6.2]', data(frame('CANCEL', 1))),
  unexpected('an answer to what was never asked [R6.6]', answer(2)),
  unexpected('ACK for a request [R6.14]', data(frame('ACK', 1))),
  { ...unexpected('NEXT for an event [R6.14]', answer()), ...emits },
  { ...unexpected('ERROR for an event [R6.14]', data(frame('ERROR', 1, encodeData('x')))), ...emits },
  { ...unexpected('COMPLETE for an event [R6.14]', data(frame('COMPLETE', 1))), ...emits },
  unexpected('COMPLETE in the middle of a value [R6.9]', data(frame('NEXT', 1, BYTE, MORE), frame('COMPLETE', 1))),
  unexpected('a value in the middle of an error [R6.9]', data(frame('ERROR', 1, BYTE, MORE)), answer()),
  unexpected('COMPLETE in the middle of an error [R6.9]', data(frame('ERROR', 1, BYTE, MORE), frame('COMPLETE', 1))),
  {
    ...open,
    name: 'sends a value of more bytes than announced, in fragments [R6.11]',
    limits: { maxMessageBytes: 65_536 },
    does: (rogue) => rogue.say(...fragments('NEXT', 1, encodeData(Buffer.alloc(65_536)), 16_384)),
    ends: 'ERR_MESSAGE_TOO_LARGE',
  },
  {
    ...open,
    name: 'never ends a value that it has begun [R6.12]',
    limits: { messageTimeoutMs: 50 },
    does: (rogue) => rogue.say(data(frame('NEXT', 1, BYTE, MORE))),
    ends: 'ERR_MESSAGE_STALLED',
  },
  {
    ...open,
    name: 'drops a value for an error, and sends more to the same stream, which counts for nothing [R6.9, R6.7]',
    does: async (rogue) => {
      rogue.say(data(frame('NEXT', 1, BYTE, MORE), frame('ERROR', 1, encodeData('gone'))));
      rogue.say(answer(), data(frame('COMPLETE', 1), frame('ERROR', 1, BYTE, MORE), frame('ACK', 1)));
      rogue.leave();
      await rogue.hears('CLOSE');
    },
    ends: 'gone',
    hears: ['CLOSE'],
  },
];
