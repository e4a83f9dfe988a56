import { HttpException } from '@nestjs/common';

/** The failures of this app (`docs/errors.md` explains each). Failures of the channel keep their own codes. */
const STATUS_OF = {
  ERR_BAD_BODY: 400,
  ERR_BAD_PATTERN: 400,
  ERR_BAD_REQUEST: 400,
  ERR_UNAUTHORIZED: 401,
  ERR_HOST_NOT_ALLOWED: 403,
  ERR_ORIGIN_NOT_ALLOWED: 403,
  ERR_NO_HANDLER: 404,
  ERR_NO_ROUTE: 404,
  ERR_TAP_OFF: 404,
  ERR_METHOD: 405,
  ERR_BODY_TIMEOUT: 408,
  ERR_BODY_TOO_LARGE: 413,
  ERR_MEDIA_TYPE: 415,
  ERR_RATE_LIMIT: 429,
  ERR_HEADERS_TOO_LARGE: 431,
  ERR_UNEXPECTED: 500,
  ERR_REPLY_TOO_LARGE: 502,
  ERR_RPC: 502,
  ERR_BROKER: 503,
  ERR_BUSY: 503,
  ERR_SHUTTING_DOWN: 503,
  ERR_DEADLINE: 504,
} as const;

export type HttpFailureCode = keyof typeof STATUS_OF;

export const HTTP_FAILURE_CODES = Object.keys(STATUS_OF) as readonly HttpFailureCode[];

/** The body of the answer to every failed call. */
export interface FailureBody {
  readonly statusCode: number;
  readonly code: string;
  readonly message: string;
  /** `false` means that no handler has run, so the call can be repeated. */
  readonly sent?: boolean;
}

interface HttpFailureOptions extends ErrorOptions {
  readonly sent?: boolean;
}

/** A failure of this app, with the status of its code. */
export class HttpFailure extends HttpException {
  readonly code: HttpFailureCode;
  readonly sent: boolean | undefined;

  constructor(code: HttpFailureCode, message: string, { sent, ...options }: HttpFailureOptions = {}) {
    super(message, STATUS_OF[code], options);
    this.code = code;
    this.sent = sent;
  }
}
