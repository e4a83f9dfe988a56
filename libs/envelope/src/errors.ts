import { brand } from '@sealwire/crypto/internal';

/** All error codes of this library in alphabetical order. Each is a mistake of the caller; docs/errors.md explains them. */
export const ENVELOPE_ERROR_CODES = [
  'ERR_ENVELOPE_HEADER',
  'ERR_ENVELOPE_OPTION',
  'ERR_ENVELOPE_STORE',
  'ERR_ENVELOPE_TOO_LARGE',
] as const;

export type EnvelopeErrorCode = (typeof ENVELOPE_ERROR_CODES)[number];

/**
 * The only error class that this library throws, and only for what the application passes in. An envelope from outside
 * is never thrown for: see {@link Refused}. Match on `code`; `message` may change and never holds key material.
 */
export class EnvelopeError extends Error {
  static {
    brand(this, 'envelope/EnvelopeError');
  }

  override readonly name = 'EnvelopeError';
  readonly code: EnvelopeErrorCode;
  readonly fault = 'caller';

  constructor(code: EnvelopeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
