import type { SealwireServerOptions } from '../../libs/transport/src/index.js';
import type { RoguePeer } from './rogue-peer.js';

/**
 * Where the fault begins. `connected`: no byte was sent. `handshaken`: the rogue has heard all of the handshake that is
 * meant for it, and has not said its last word of it. `open`: the session is open; a rogue server has heard the request.
 */
export type Stage = 'connected' | 'handshaken' | 'open';

/** One way to break the protocol, and how the other side has to take it. */
export interface Fault {
  /** Finishes "a client that ..." or "a server that ...". */
  readonly name: string;
  readonly at: Stage;
  readonly does: (rogue: RoguePeer) => void | Promise<void>;
  /**
   * The code of the failure at the other side. `agreed`: there is none, both sides close in good order. `unseen`: somebody
   * left before his first byte, which is no failure to report.
   */
  readonly ends: string;
  /** All that the rogue hears from this stage on; left out, nothing. */
  readonly hears?: readonly string[] | 'whatever';
  /** Of the other side. */
  readonly options?: Partial<SealwireServerOptions>;
}

export interface ClientFault extends Fault {
  /** How often a handler runs for it; left out, never. */
  readonly runs?: number;
  /** What ends its requests comes together with them: their handlers may not have begun, and then never do. */
  readonly endsAtOnce?: true;
  /** Codes that the server logs; left out, that of the failure. */
  readonly logs?: readonly string[];
}

/** Whether so many handlers may have run. */
export function allowsRuns({ runs = 0, endsAtOnce }: ClientFault, actual: number): boolean {
  return endsAtOnce === true ? actual <= runs : actual === runs;
}

export interface ServerFault extends Fault {
  /** Left out, a request. */
  readonly victim?: 'emits';
}
