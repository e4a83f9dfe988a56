// The state of a connection (docs/protocol.md §5.5, §5.8), and the counters that outlive its record layer.
//
//   OPEN → DRAINING (GOAWAY) → CLOSING (CLOSE sent) → ENDED (CLOSE received) → CLOSED
import type { Moment } from '../moment.js';
import { SendWindow } from '../record/send-window.js';
import { TakenBytes } from '../record/taken-bytes.js';
import { Heartbeat } from './heartbeat.js';

export type State =
  | { readonly at: 'OPEN' | 'CLOSING' | 'ENDED' | 'CLOSED' }
  /**
   * `initiated`: this side sends CLOSE as soon as no stream is open. `isCutOff`: the drain has timed out, and CLOSE is
   * sent as soon as the last answers are sealed.
   */
  | { readonly at: 'DRAINING'; readonly initiated: boolean; readonly isCutOff: boolean };

/** Shared by all connections. */
export const OPEN: State = { at: 'OPEN' };
export const DRAINING = { at: 'DRAINING', initiated: true, isCutOff: false } as const satisfies State;

/** The counters of the records. An idle connection keeps only these of its record layer. */
export class RecordCounters {
  readonly heartbeat = new Heartbeat();
  readonly taken = new TakenBytes();
  readonly window = new SendWindow();
  /** When the last record was read; undefined before the first. CONFIRM does not count. */
  lastRead: Moment | undefined;
}
