// How a server may end a connection that it should not: docs/protocol.md §5.5 to §5.9.
import type { ServerFault } from '../../support/fault.js';
import { answer, CLOSE, data, FALSE_CONFIRM, first, GOAWAY } from '../../support/rogue-words.js';
import { behindClose, BOTH } from './lifecycle.js';

const open = { at: 'open' } as const;

export const SERVER_LIFECYCLE_FAULTS: readonly ServerFault[] = [
  ...BOTH,
  ...behindClose('ERR_CONNECTION_CLOSED'),
  {
    ...open,
    name: 'sends GOAWAY, answers earlier requests, and closes [R5.16]',
    does: async (rogue) => {
      rogue.say(GOAWAY);
      await rogue.hears('GOAWAY');
      rogue.say(answer());
      rogue.leave();
    },
    ends: 'answered',
    hears: ['GOAWAY', 'CLOSE'],
  },
  {
    ...open,
    name: 'closes before it has answered [R5.21]',
    does: (rogue) => rogue.leave(),
    ends: 'ERR_CONNECTION_CLOSED',
    hears: ['CLOSE'],
  },
  {
    ...open,
    name: 'answers after CLOSE [R5.20]',
    does: (rogue) => rogue.say(CLOSE, answer()),
    ends: 'ERR_CONNECTION_CLOSED',
    hears: 'whatever',
  },
  {
    ...open,
    name: 'answers completely and ends without CLOSE: the answer counts [R5.23]',
    does: (rogue) => void rogue.socket.end(rogue.sealed(answer())),
    ends: 'answered',
  },
  {
    ...open,
    name: 'answers in part and ends without CLOSE: the answer does not count [R5.23]',
    does: (rogue) => void rogue.socket.end(rogue.sealed(data(first('NEXT', 1)))),
    ends: 'ERR_TRUNCATED',
  },
  {
    ...open,
    ends: 'ERR_RECORD_UNEXPECTED',
    name: 'sends CONFIRM first [R5.5]',
    does: (rogue) => rogue.say(FALSE_CONFIRM),
  },
];
