/** A record or an envelope as it crossed the wire. It contains no plaintext. */
export interface WireRow {
  readonly kind: 'wire';
  readonly unixMs: number;
  /** The number of the connection since the start of the app. */
  readonly connection: number;
  readonly server: string;
  /** The key of the session or of the envelope, 16 hexadecimal digits. */
  readonly keyId: string;
  readonly direction: Direction;
  /** The number of the record in its direction, from 0; of an envelope, its number since the connection opened. */
  readonly number: number;
  /** The type of the record, which is sealed too; `REFUSED` if the record was not genuine. */
  readonly type: string;
  /** The size on the wire. */
  readonly bytes: number;
  /**
   * The first {@link SHOWN_BYTES} bytes of the record in hex, which begin with its length, as in the log of the server; of
   * an envelope, its first characters.
   */
  readonly sealed: string;
}

export type Direction = 'sent' | 'received';

/** Takes the place of rows that a slow reader has lost. */
export interface LostRow {
  readonly kind: 'lost';
  readonly rows: number;
}

export const SHOWN_BYTES = 48;
/** The length of a record, which precedes its sealed bytes (docs/protocol.md §5.1). */
export const LENGTH_BYTES = 2;
