import type { ServerResponse } from 'node:http';

import { Controller, Get, Inject, Param, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';

import { settings } from '../config/registration.js';
import type { Settings } from '../config/settings.js';
import { HttpFailure } from '../http/failure/http-failure.js';
import { sendJson } from '../http/json-reply.js';
import { pageFiles } from './page-files.js';

/** Everything comes from this app, and no text that the page shows can run as a script. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The files of the console page. They contain nothing secret, so they need no token. */
@ApiExcludeController()
@Controller()
export class PageController {
  constructor(@Inject(settings.KEY) private readonly config: Settings) {}

  @Get()
  root(@Res() response: ServerResponse): void {
    this.file('index.html', response);
  }

  /** Returns the settings that the page needs before it makes calls. */
  @Get('console/settings')
  settings(@Res() response: ServerResponse): void {
    const { http, logMessages, wireTap, broker, service } = this.config;
    const shown = {
      needsToken: http.token !== undefined,
      showsMessages: logMessages,
      wireTap,
      carrier: broker === undefined ? 'connection' : 'broker',
      service,
    };
    sendJson(response, JSON.stringify(shown));
  }

  @Get('console/:name')
  file(@Param('name') name: string, @Res() response: ServerResponse): void {
    const file = pageFiles.get(name);
    if (file === undefined) throw new HttpFailure('ERR_NO_ROUTE', 'The console page has no such file');
    response.writeHead(200, {
      'content-type': file.contentType,
      'content-length': file.bytes.length,
      'cache-control': 'no-cache',
      'content-security-policy': CONTENT_SECURITY_POLICY,
    });
    response.end(file.bytes);
  }
}
