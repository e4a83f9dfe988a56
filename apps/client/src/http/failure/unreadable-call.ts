// Calls that Node's HTTP parser refuses, so that they reach no route and no filter.
import { maxHeaderSize, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

import { toFailureBody } from './failure-body.js';
import { HttpFailure } from './http-failure.js';

/** The time that the caller has to read the answer. Without a limit, the connection stays open for as long as it likes. */
const LET_GO_MS = 1_000;

/** Answers like the filter does, and closes the connection, whose next bytes cannot be understood. */
export function answerUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const failure = toFailureBody(failureOf(error));
  const body = JSON.stringify(failure);
  const head = [
    `HTTP/1.1 ${failure.statusCode} ${STATUS_CODES[failure.statusCode]}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    'connection: close',
  ];
  setTimeout(() => socket.destroy(), LET_GO_MS).unref();
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function failureOf({ code }: NodeJS.ErrnoException): HttpFailure {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new HttpFailure(
      'ERR_HEADERS_TOO_LARGE',
      `The address and the headers are too large; expected at most ${maxHeaderSize} bytes: send long data in a body`,
    );
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new HttpFailure('ERR_BODY_TIMEOUT', 'The call did not arrive in time; send it faster, or send less');
  return new HttpFailure('ERR_BAD_REQUEST', 'The call is not valid HTTP/1.1');
}
