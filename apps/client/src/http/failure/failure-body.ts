import { HttpException, HttpStatus } from '@nestjs/common';
import { CryptoError } from '@sealwire/crypto';
import { TransportError } from '@sealwire/transport';
import type { TransportErrorCode } from '@sealwire/transport';

import { HandlerFailure } from './handler-failure.js';
import { HttpFailure } from './http-failure.js';
import type { FailureBody, HttpFailureCode } from './http-failure.js';

/** Failures that a retry does not fix. Every other failure of the channel is temporary: 503. */
const CHANNEL_STATUS: ReadonlyMap<TransportErrorCode, number> = new Map([
  ['ERR_ANSWER_OVERFLOW', HttpStatus.BAD_GATEWAY],
  ['ERR_FORBIDDEN', HttpStatus.FORBIDDEN],
  ['ERR_MESSAGE_UNSERIALIZABLE', HttpStatus.BAD_REQUEST],
  ['ERR_MESSAGE_TOO_COMPLEX', HttpStatus.BAD_GATEWAY],
  ['ERR_MESSAGE_TOO_LARGE', HttpStatus.PAYLOAD_TOO_LARGE],
  ['ERR_REQUEST_TIMEOUT', HttpStatus.GATEWAY_TIMEOUT],
]);

/** The status of codes that have another meaning if the server answered with them. */
const ANSWERED_STATUS: ReadonlyMap<TransportErrorCode, number> = new Map([
  ['ERR_MESSAGE_UNSERIALIZABLE', HttpStatus.BAD_GATEWAY],
  ['ERR_MESSAGE_TOO_LARGE', HttpStatus.BAD_GATEWAY],
]);

/** The codes of exceptions that Nest and its modules throw. */
const CODE_OF_STATUS: ReadonlyMap<number, HttpFailureCode> = new Map([
  [HttpStatus.BAD_REQUEST, 'ERR_BAD_REQUEST'],
  [HttpStatus.NOT_FOUND, 'ERR_NO_ROUTE'],
  [HttpStatus.PAYLOAD_TOO_LARGE, 'ERR_BODY_TOO_LARGE'],
  [HttpStatus.TOO_MANY_REQUESTS, 'ERR_RATE_LIMIT'],
]);

/** The text of a failure of the keys. Its own message may contain key ids and dates, which are for the log. */
const KEY_FAILURE = 'The keys of the client app cannot be used now; the log of the app has the reason';

/** Returns the body of a failed call. It contains no details of a failure of the keys, or of an unexpected failure. */
export function toFailureBody(error: unknown): FailureBody {
  if (error instanceof HandlerFailure) {
    const failure = body(error.statusCode, error.code, error.message);
    return { ...failure, ...error.fields, ...failure };
  }
  if (error instanceof HttpFailure) return body(error.getStatus(), error.code, error.message, error.sent);
  if (error instanceof CryptoError) return body(HttpStatus.SERVICE_UNAVAILABLE, error.code, KEY_FAILURE, false);
  if (error instanceof TransportError) return body(channelStatus(error), error.code, textOf(error), error.sent);
  if (error instanceof HttpException) return body(error.getStatus(), codeOf(error), error.message);
  return body(
    HttpStatus.INTERNAL_SERVER_ERROR,
    'ERR_UNEXPECTED',
    'The call failed unexpectedly; see the log of the client app',
  );
}

function body(statusCode: number, code: string, message: string, sent?: boolean): FailureBody {
  return sent === undefined ? { statusCode, code, message } : { statusCode, code, message, sent };
}

function textOf({ code, message }: TransportError): string {
  return code === 'ERR_KEY_REVOKED' ? KEY_FAILURE : message;
}

function channelStatus({ code, sent }: TransportError): number {
  // If `sent` is set, the server refused the call as too complex. Otherwise this client refused the answer.
  if (code === 'ERR_MESSAGE_TOO_COMPLEX' && sent !== undefined) return HttpStatus.PAYLOAD_TOO_LARGE;
  const answered = sent === true ? ANSWERED_STATUS.get(code) : undefined;
  return answered ?? CHANNEL_STATUS.get(code) ?? HttpStatus.SERVICE_UNAVAILABLE;
}

function codeOf(error: HttpException): HttpFailureCode {
  return CODE_OF_STATUS.get(error.getStatus()) ?? 'ERR_UNEXPECTED';
}
