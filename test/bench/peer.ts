import type { Usage } from './measure.js';

/** What a peer may need to know of; made anew for every bench. */
export interface Secrets {
  /** Path of a Sealwire key file. */
  readonly keyFile: string;
  /** 16 bytes in hex, for the peers that take a key as such. */
  readonly sharedKey: string;
  /** A self-signed certificate for localhost and its key, both PEM; absent where nothing could make them. */
  readonly certificate?: { readonly cert: string; readonly key: string };
}

/** Under which conditions a peer is measured. */
export interface Setting {
  readonly secrets: Secrets;
  /** `raised`: as far as it takes to let messages of 64 MiB through; see raised-limits.ts. */
  readonly limits: 'default' | 'raised';
}

export interface RunningServer {
  readonly port: number;
  /** What it has used, if other processes belong to it. */
  readonly usage?: () => Promise<Usage>;
  readonly close: () => Promise<void> | void;
}

/** A process between the servers and the client. */
export interface Broker {
  readonly port: number;
  readonly usage: () => Usage;
  readonly close: () => void;
}

/** Called exactly once with the end: an error, or the answer. */
export type Done = (error: Error | undefined, answer?: unknown) => void;

/** What a server is asked to stream: numbers from 0 on, or with `valueBytes` as many bytes with each value. */
export interface StreamAsk {
  readonly values: number;
  readonly valueBytes: number;
}

/** One connection. Nothing in here calls back before it returns. A peer leaves out what its protocol does not have. */
export interface ConnectedClient {
  /** Sends `payload` to an echo. */
  readonly request: (payload: unknown, done: Done) => void;
  readonly stream?: (ask: StreamAsk, next: (value: unknown) => void, done: Done) => void;
  /** Sends a request whose handler computes a digest of the text, which takes about a millisecond. */
  readonly hash?: (text: string, done: Done) => void;
  /** Sends an event; done when the transport says so, which need not be when the server has it. */
  readonly emit?: (payload: unknown, done: Done) => void;
  /** Asks how many events the handler of the server has been given. */
  readonly countEvents?: (done: Done) => void;
  readonly close: () => Promise<void> | void;
}

/** One transport under measurement. `npm run bench` runs its two halves in processes of their own. */
export interface Peer {
  readonly name: string;
  /** How many processes serve it; one unless given. */
  readonly servers?: number;
  /** Why it cannot run here, or undefined. */
  missing?(secrets: Secrets): string | undefined;
  /** Starts the broker to which the servers and the client connect; absent if the client connects to the servers. */
  startBroker?(): Promise<Broker>;
  /** Serves an echo on a free port of 127.0.0.1, or behind the broker. */
  serve(setting: Setting, brokerPort?: number): Promise<RunningServer>;
  /** Opens one connection. @param port - Of the server, or of the broker. @param others - The ports of the other processes that serve it. */
  connect(setting: Setting, port: number, others?: readonly number[]): Promise<ConnectedClient>;
}
