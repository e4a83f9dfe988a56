import type { IncomingMessage, ServerResponse } from 'node:http';

import { Catch } from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import { CryptoError } from '@sealwire/crypto';
import { TransportError } from '@sealwire/transport';

import { toFailureBody } from './failure-body.js';
import { FailureLog } from './failure-log.js';
import { HandlerFailure } from './handler-failure.js';
import type { FailureBody } from './http-failure.js';
import { sendJson } from '../json-reply.js';

/** Failures whose stack is logged: one of this app, and one inside the transport. */
const WITH_STACK: ReadonlySet<string> = new Set(['ERR_UNEXPECTED', 'ERR_INTERNAL']);

/** Answers every failure with a {@link FailureBody}. */
@Catch()
export class FailureFilter implements ExceptionFilter {
  readonly #log = new FailureLog();

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const failure = toFailureBody(error);
    this.#write(http.getRequest<IncomingMessage>(), failure, error);
    answer(http.getResponse<ServerResponse>(), failure);
  }

  // Logs neither the query nor the error of a handler, because both can contain the text of a message.
  #write({ method, url }: IncomingMessage, { statusCode, code, message }: FailureBody, error: unknown): void {
    if (statusCode < 500) return;
    const call = `${method} ${url?.split('?')[0]}: ${statusCode}`;
    if (error instanceof HandlerFailure) this.#log.warn('ERR_RPC', `${call} ERR_RPC`);
    else if (WITH_STACK.has(code))
      this.#log.error(code, `${call} ${code}`, error instanceof Error ? (error.stack ?? error.message) : String(error));
    else this.#log.warn(code, `${call} ${code}: ${reasonOf(error) ?? message}`);
  }
}

/** Returns the message of a failure of the channel or its keys. The caller may have got less. */
function reasonOf(error: unknown): string | undefined {
  return error instanceof CryptoError || error instanceof TransportError ? error.message : undefined;
}

function answer(response: ServerResponse, failure: FailureBody): void {
  if (response.headersSent) {
    response.destroy(); // otherwise a partial answer would look complete
    return;
  }
  if (failure.code === 'ERR_UNAUTHORIZED') response.setHeader('www-authenticate', 'Bearer realm="sealwire"');
  if (failure.statusCode === 503) response.setHeader('retry-after', '1');
  sendJson(response, JSON.stringify(failure), failure.statusCode);
}
