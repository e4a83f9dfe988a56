import { brand } from '@sealwire/crypto/internal';

/** All error codes of this library, each with the side at fault. `docs/errors.md` explains each code. */
const FAULT_OF = {
  ERR_ANSWER_INCOMPLETE: 'network',
  ERR_REPLAY_STORE: 'peer',
  ERR_SUBJECT: 'caller',
} as const;

/** The code of a {@link BrokerError}. */
export type BrokerErrorCode = keyof typeof FAULT_OF;

/** All codes in alphabetical order. `docs/errors.md` explains each. */
export const BROKER_ERROR_CODES = Object.keys(FAULT_OF) as readonly BrokerErrorCode[];

/** A failure of a sealed transport. Match on `code`; `message` may change and contains no key material. */
export class BrokerError extends Error {
  static {
    brand(this, 'brokers/BrokerError');
  }

  override readonly name = 'BrokerError';
  readonly code: BrokerErrorCode;

  constructor(code: BrokerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  get fault(): (typeof FAULT_OF)[BrokerErrorCode] {
    return FAULT_OF[this.code];
  }
}

/** Returns the failure of a request whose answer has lost a value. */
export function answerIncomplete(): BrokerError {
  return new BrokerError(
    'ERR_ANSWER_INCOMPLETE',
    'A value of the answer was lost in transit, and the handler has started: retry only if running it twice is safe',
  );
}

/** The error of a caller whose request could not be claimed, in the form of Nest's own errors. */
export const STORE_ERROR = {
  status: 'error',
  message: 'The replay store of the server failed, so the handler did not run; see the log of the server',
  code: 'ERR_REPLAY_STORE',
} as const;
