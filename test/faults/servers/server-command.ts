// What a server in a process of its own is sent, and what it writes.
import type { SealwireServerOptions } from '@sealwire/transport';

export interface ServeCommand {
  readonly name: string;
  readonly keyHex: string;
  readonly logFile: string;
  readonly options: SealwireServerOptions;
}

export type ServerCommand = ServeCommand | 'stop';

/** A line of the log that begins with it is a failure; any other line is the id of a call. */
export const FAILURE_MARK = '!';
