// The descriptions of the console's calls at /docs.
import { applyDecorators } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiProduces, ApiResponse } from '@nestjs/swagger';

import { failure } from '../trigger/trigger.docs.js';
import { ATTACK_NAMES } from './attacks/attack-stage.js';

const FAILURES = [
  failure(401, 'ERR_UNAUTHORIZED', 'HTTP_TOKEN is set, and the call does not have it'),
  failure(403, 'ERR_HOST_NOT_ALLOWED', 'The Host or the Origin is not in HTTP_ALLOWED_HOSTS'),
  failure(404, 'ERR_TAP_OFF', 'The wire tap is off: set WIRE_TAP=true and restart the client app'),
  failure(429, 'ERR_RATE_LIMIT', 'More calls in a minute than HTTP_RATE_LIMIT'),
  failure(503, 'ERR_BUSY', 'Too much is in progress, for this caller or for all of them'),
];

export const DescribeWire = (): MethodDecorator =>
  applyDecorators(
    ApiOperation({
      summary: 'Watch the wire',
      description:
        'Returns a line of JSON for each record, or envelope of a broker, that crosses the wire, and for the state of the connections every second. It contains no plaintext, and ends when the reader leaves.',
    }),
    ApiProduces('application/x-ndjson'),
    ApiResponse({
      status: 200,
      description: 'Lines of JSON',
      content: {
        'application/x-ndjson': {
          example:
            '{"kind":"wire","unixMs":1796088645123,"connection":1,"server":"127.0.0.1:8080","keyId":"0123456789abcdef","direction":"sent","number":1,"type":"DATA","bytes":82,"sealed":"00509f1c…"}\n',
        },
      },
    }),
    ...FAILURES,
  );

export const DescribeAttack = (): MethodDecorator =>
  applyDecorators(
    ApiOperation({
      summary: 'Play an attack of the console page',
      description: 'Opens a connection of its own to the running server, and changes sealed bytes on their way.',
    }),
    ApiParam({ name: 'name', enum: ATTACK_NAMES, example: 'flip' }),
    ApiResponse({
      status: 200,
      description: 'The reactions of the caller and of the server, and its counters',
      content: {
        'application/json': {
          example: {
            attack: 'flip',
            isRefused: true,
            facts: [{ name: 'Before', text: 'A genuine message was answered.' }],
          },
        },
      },
    }),
    ...FAILURES,
  );
