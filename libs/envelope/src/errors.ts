import { brand } from '@sealwire/crypto/internal';

/** All error codes of this library, each with the side at fault. docs/errors.md explains each code. */
const FAULT_OF = {
  ERR_ENVELOPE_HEADER: 'caller',
  ERR_ENVELOPE_OPTION: 'caller',
  ERR_ENVELOPE_REFUSED: 'peer',
  ERR_ENVELOPE_STORE: 'caller',
  ERR_ENVELOPE_TOO_LARGE: 'caller',
  ERR_ENVELOPE_UNSERIALIZABLE: 'caller',
} as const;

/** The code of an {@link EnvelopeError}. */
export type EnvelopeErrorCode = keyof typeof FAULT_OF;

/** All codes in alphabetical order. `docs/errors.md` explains each. */
export const ENVELOPE_ERROR_CODES = Object.keys(FAULT_OF) as readonly EnvelopeErrorCode[];

/**
 * The error class of this library. For an envelope from outside, only `SealwireCodec.decode` throws
 * (`ERR_ENVELOPE_REFUSED`); the other methods that open one return {@link Refused}. Match on `code`; `message` may change
 * and never holds key material.
 */
export class EnvelopeError extends Error {
  static {
    brand(this, 'envelope/EnvelopeError');
  }

  override readonly name = 'EnvelopeError';
  readonly code: EnvelopeErrorCode;

  constructor(code: EnvelopeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  get fault(): (typeof FAULT_OF)[EnvelopeErrorCode] {
    return FAULT_OF[this.code];
  }
}
