// The descriptions of the calls at /docs.
import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOperation, ApiParam, ApiProduces, ApiQuery, ApiResponse } from '@nestjs/swagger';

/** Describes one failure of a call. */
export const failure = (statusCode: number, code: string, description: string): MethodDecorator =>
  ApiResponse({
    status: statusCode,
    description,
    content: {
      'application/json': {
        schema: {
          type: 'object',
          required: ['statusCode', 'code', 'message'],
          properties: {
            statusCode: { type: 'integer' },
            code: { type: 'string' },
            message: { type: 'string' },
            sent: { type: 'boolean' },
          },
        },
        example: { statusCode, code, message: description },
      },
    },
  });

const EMIT_FAILURES = [
  failure(400, 'ERR_BAD_BODY', 'The pattern, the query or the body is invalid'),
  failure(401, 'ERR_UNAUTHORIZED', 'HTTP_TOKEN is set, and the call does not have it'),
  failure(
    403,
    'ERR_HOST_NOT_ALLOWED',
    'The Host or the Origin is not in HTTP_ALLOWED_HOSTS, or the server does not allow this key to call the pattern',
  ),
  failure(408, 'ERR_BODY_TIMEOUT', 'The body did not arrive in time'),
  failure(413, 'ERR_BODY_TOO_LARGE', 'The message is larger than the channel accepts (8 MiB)'),
  failure(415, 'ERR_MEDIA_TYPE', 'The body is neither JSON nor octet-stream'),
  failure(429, 'ERR_RATE_LIMIT', 'More calls in a minute than HTTP_RATE_LIMIT'),
  failure(
    503,
    'ERR_CONNECT_FAILED',
    'There is no connection to the server, the connection was lost, or the server is overloaded or shutting down',
  ),
  failure(504, 'ERR_DEADLINE', 'The server did not answer in time'),
];

/** The failures of a request. An event has no answer, so its sender gets no error for a missing or failed handler. */
const CALL_FAILURES = [
  ...EMIT_FAILURES,
  failure(404, 'ERR_NO_HANDLER', 'The server has no handler for this pattern'),
  failure(
    502,
    'ERR_RPC',
    'The handler failed, and `message` comes from it; or the answer of the handler could not be sent',
  ),
];

const Pattern = (example: string): MethodDecorator =>
  ApiParam({ name: 'pattern', description: 'Percent-encoded; an object pattern as its JSON text', example });

const Timeout = (): MethodDecorator =>
  ApiQuery({ name: 'timeout', required: false, description: 'Milliseconds, 30000 by default', example: 1_000 });

const AnyBody = (example: unknown): MethodDecorator =>
  applyDecorators(
    ApiConsumes('application/json', 'application/octet-stream'),
    ApiBody({
      required: false,
      description: 'Any JSON value except null, or raw bytes. An empty body counts as `{}`',
      schema: { example },
    }),
  );

const Value = (description: string, example: unknown): MethodDecorator =>
  applyDecorators(
    ApiProduces('application/json', 'application/octet-stream'),
    ApiResponse({ status: 200, description, content: { 'application/json': { example } } }),
  );

export const DescribeMessages = (): MethodDecorator =>
  applyDecorators(
    ApiOperation({ summary: 'Send a text', description: 'Sends the pattern `message`; the server prints the text.' }),
    ApiBody({
      required: false,
      schema: { type: 'object', properties: { text: { type: 'string', default: 'Hello Server!' } } },
      examples: { text: { value: { text: 'Hello Server!' } } },
    }),
    Timeout(),
    Value("The server's receipt", {
      text: 'Hello Server!',
      bytes: 13,
      receivedAt: '2026-01-01T12:00:00.000Z',
      keyId: '0123456789abcdef',
      server: 'server-1',
    }),
    ...CALL_FAILURES,
  );

export const DescribeSend = (): MethodDecorator =>
  applyDecorators(
    ApiOperation({
      summary: 'Call a handler',
      description: 'Responds with the last value of the handler.',
    }),
    Pattern('echo'),
    ApiQuery({ name: 'all', required: false, description: '1: all values, as an array', example: '1' }),
    Timeout(),
    AnyBody({ any: ['JSON', 1] }),
    Value('The last value, or all of them; bytes as octet-stream', { any: ['JSON', 1] }),
    ...CALL_FAILURES,
  );

export const DescribeEmit = (): MethodDecorator =>
  applyDecorators(
    ApiOperation({ summary: 'Send an event', description: 'Responds after the server has handed it to its handlers.' }),
    Pattern('notice'),
    Timeout(),
    AnyBody({ text: 'Hello Server!' }),
    ApiResponse({
      status: 202,
      description: 'The server has accepted the event. If no handler exists or a handler fails, the server logs that',
      content: { 'application/json': { example: { accepted: true } } },
    }),
    ...EMIT_FAILURES,
  );

export const DescribeStream = (): MethodDecorator =>
  applyDecorators(
    ApiOperation({
      summary: 'Follow an answer with several values',
      description:
        'Each value is one event; after the last one, the app sends `event: complete`. Closing the request cancels the handler. A stream cannot be resumed.',
    }),
    Pattern('countdown'),
    ApiQuery({ name: 'data', required: false, description: 'JSON', example: '{"from":3,"intervalMs":1000}' }),
    Timeout(),
    ApiProduces('text/event-stream'),
    ApiResponse({
      status: 200,
      description: 'Server-sent events',
      content: {
        'text/event-stream': {
          example: 'id: 1\ndata: 1\n\nid: 2\ndata: 0\n\nid: 3\nevent: complete\ndata: {}\n\n',
        },
      },
    }),
    ApiResponse({
      status: 204,
      description: 'The call has a Last-Event-ID: an EventSource has reconnected, and 204 makes it stop',
    }),
    ...CALL_FAILURES,
  );
