import type { IncomingMessage, ServerResponse } from 'node:http';

import { All, Controller, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';

import { HttpFailure } from './failure/http-failure.js';

/** The methods that each address takes. */
const METHODS: readonly (readonly [path: RegExp, methods: string])[] = [
  [/^\/messages\/?$/i, 'POST'],
  [/^\/(?:(?:send|emit)\/[^/]+|console\/attacks\/[^/]+)\/?$/i, 'POST'],
  [/^\/(?:stream\/[^/]+|console\/wire)\/?$/i, 'GET'],
  [/^\/(?:health|metrics|docs|docs\/openapi\.json|console\/(?!wire)[^/]+)?\/?$/i, 'GET, HEAD'],
];

/** Every address without another route. The module is the last of the app, so that other routes win. */
@ApiExcludeController()
@Controller()
export class AddressController {
  @All('{*path}')
  refuse(@Req() { url = '' }: IncomingMessage, @Res() response: ServerResponse): never {
    const [path = ''] = url.split('?', 1);
    const methods = METHODS.find(([pattern]) => pattern.test(path))?.[1];
    if (methods === undefined)
      throw new HttpFailure('ERR_NO_ROUTE', 'This address does not exist; /docs lists all addresses');
    response.setHeader('allow', methods);
    throw new HttpFailure('ERR_METHOD', `Wrong method: this address accepts ${methods}`);
  }
}
