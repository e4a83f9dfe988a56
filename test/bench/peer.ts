/** What a peer may need to know of; made anew for every bench. */
export interface Secrets {
  /** Path of a Sealwire key file. */
  readonly keyFile: string;
  /** A self-signed certificate for localhost and its key, both PEM; absent where nothing could make them. */
  readonly certificate?: { readonly cert: string; readonly key: string };
}

export interface RunningServer {
  readonly port: number;
}

/** Told exactly once how a request ended: by an error, or by the answer. */
export type RequestDone = (error: Error | undefined, answer?: unknown) => void;

export interface ConnectedClient {
  /** Sends `payload` to an echo; `done` is never called before this returns. */
  request(payload: unknown, done: RequestDone): void;
}

/**
 * One transport under measurement. Its two halves run in processes of their own, which the bench kills at the end:
 * nothing in here has to clean up.
 */
export interface Peer {
  readonly name: string;
  /** Why it cannot run here, or undefined. */
  missing?(secrets: Secrets): string | undefined;
  /** Serves an echo on a free port of 127.0.0.1. */
  serve(secrets: Secrets): Promise<RunningServer>;
  /** Opens one connection. */
  connect(secrets: Secrets, port: number): Promise<ConnectedClient>;
}
