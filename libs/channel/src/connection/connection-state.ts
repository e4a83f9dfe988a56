// What a connection keeps as long as it lasts: how far it is (docs/protocol.md §5.5, §5.8), and its counters.
//
//   OPEN → DRAINING (GOAWAY) → CLOSING (CLOSE sent) → ENDED (CLOSE received) → CLOSED
import { SendWindow } from '../record/send-window.js';
import { TakenBytes } from '../record/taken-bytes.js';
import { Heartbeat } from './heartbeat.js';

export type State =
  | { readonly at: 'OPEN' | 'CLOSING' | 'ENDED' | 'CLOSED' }
  /** `initiated`: this side sends CLOSE as soon as nothing is open. */
  | { readonly at: 'DRAINING'; readonly initiated: boolean };

/** One for all connections. */
export const OPEN: State = { at: 'OPEN' };

/** What is left of the record layer of a connection that is idle. */
export class RecordCounters {
  readonly heartbeat = new Heartbeat();
  readonly taken = new TakenBytes();
  readonly window = new SendWindow();
  /** Whether any record came. */
  hasReceived = false;
}
