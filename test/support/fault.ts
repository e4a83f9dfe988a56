import type { SealwireServerOptions } from '../../libs/transport/src/index.js';
import type { RoguePeer } from './rogue-peer.js';

/**
 * The stage at which the fault begins. `connected`: no byte was sent. `handshaken`: the rogue has received all of the
 * handshake that is meant for it, and has not sent its last part. `open`: the session is open; a rogue server has
 * received the request.
 */
export type Stage = 'connected' | 'handshaken' | 'open';

/** One way to break the protocol, and the required reaction of the other side. */
export interface Fault {
  /** Finishes "a client that ..." or "a server that ...". */
  readonly name: string;
  readonly at: Stage;
  readonly does: (rogue: RoguePeer) => void | Promise<void>;
  /**
   * The code of the failure at the other side. `agreed`: there is none, both sides close gracefully. `unseen`: the rogue
   * left before its first byte, which is not a failure to report.
   */
  readonly ends: string;
  /** Everything that the rogue receives from this stage on; nothing if it is left out. */
  readonly hears?: readonly string[] | 'whatever';
  /** Of the other side. */
  readonly options?: Partial<SealwireServerOptions>;
}

export interface ClientFault extends Fault {
  /** The number of handlers that run for it; none if it is left out. */
  readonly runs?: number;
  /** The end of its requests arrives together with them, so their handlers may not have begun, and then never do. */
  readonly endsAtOnce?: true;
  /** Codes that the server logs; that of the failure if it is left out. */
  readonly logs?: readonly string[];
}

/** Returns whether this number of handlers may have run. */
export function allowsRuns({ runs = 0, endsAtOnce }: ClientFault, actual: number): boolean {
  return endsAtOnce === true ? actual <= runs : actual === runs;
}

export interface ServerFault extends Fault {
  /** A request if it is left out. */
  readonly victim?: 'emits';
}
