import { brand } from './brand.js';

/**
 * All error codes of this library in alphabetical order, each with its fault: the `caller` (a mistake in code), the
 * `input` (bytes from outside) or the `operator` (the key file and its machine). `docs/errors.md` explains each code.
 */
const FAULT_OF = {
  ERR_DECRYPT_FAILED: 'input',
  ERR_HKDF_LENGTH: 'caller',
  ERR_IV_LENGTH: 'caller',
  ERR_KEYRING_CHANGE: 'operator',
  ERR_KEYRING_DUPLICATE: 'operator',
  ERR_KEYRING_FORMAT: 'operator',
  ERR_KEYRING_ID: 'operator',
  ERR_KEYRING_JSON: 'operator',
  ERR_KEYRING_NO_KEY: 'operator',
  ERR_KEYRING_NO_PRIMARY: 'operator',
  ERR_KEYRING_PRIMARY: 'operator',
  ERR_KEYRING_SIZE: 'operator',
  ERR_KEY_FEW_VALUES: 'operator',
  ERR_KEY_FILE_CREATE: 'operator',
  ERR_KEY_FILE_EXISTS: 'operator',
  ERR_KEY_FILE_LENGTH: 'operator',
  ERR_KEY_FILE_LOCKED: 'operator',
  ERR_KEY_FILE_MISSING: 'operator',
  ERR_KEY_FILE_MODE: 'operator',
  ERR_KEY_FILE_NAME: 'operator',
  ERR_KEY_FILE_NOT_REGULAR: 'operator',
  ERR_KEY_FILE_OWNER: 'operator',
  ERR_KEY_FILE_POLL: 'caller',
  ERR_KEY_FILE_SYMLINK: 'operator',
  ERR_KEY_FILE_UNREADABLE: 'operator',
  ERR_KEY_FILE_WRITE: 'operator',
  ERR_KEY_LENGTH: 'caller',
  ERR_KEY_PATTERN: 'operator',
  ERR_KEY_PUBLISHED: 'operator',
  ERR_KEY_REPEATED_BYTE: 'operator',
  ERR_KEY_TEXT: 'operator',
  ERR_OPEN_FAILED: 'input',
  ERR_PUBLIC_KEY: 'input',
  ERR_RANDOM_FAILED: 'operator',
} as const;

/** The code of a {@link CryptoError}. */
export type CryptoErrorCode = keyof typeof FAULT_OF;
/** The side at fault: the caller, the operator of this host, or the input. */
export type CryptoFault = (typeof FAULT_OF)[CryptoErrorCode];

/** All codes in alphabetical order. `docs/errors.md` explains each; a test compares the two. */
export const CRYPTO_ERROR_CODES = Object.keys(FAULT_OF) as readonly CryptoErrorCode[];

/**
 * The error class of this library. Match on `code`; `message` may change and never holds key material.
 */
export class CryptoError extends Error {
  static {
    brand(this, 'crypto/CryptoError');
  }

  override readonly name = 'CryptoError';
  readonly code: CryptoErrorCode;

  constructor(code: CryptoErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  get fault(): CryptoFault {
    return FAULT_OF[this.code];
  }
}
