import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

import { Inject, Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { equalBytes } from '@sealwire/crypto';

import { settings } from '../config/registration.js';
import type { Settings } from '../config/settings.js';
import { isOriginListed } from '../http/allowed-hosts.js';
import type { AllowedHost } from '../http/allowed-hosts.js';
import { HttpFailure } from '../http/failure/http-failure.js';

const BEARER = /^Bearer +(\S+)$/i;

/** The `Sec-Fetch-Site` of pages of this app and of typed addresses. Clients other than browsers do not send it. */
const OWN_SITES: ReadonlySet<unknown> = new Set([undefined, 'same-origin', 'none']);

/** Allows a call that has HTTP_TOKEN, if one is set, and that no page of another origin has caused. */
@Injectable()
export class CallerGuard implements CanActivate {
  readonly #token: string | undefined;
  readonly #allowedHosts: readonly AllowedHost[];

  constructor(@Inject(settings.KEY) { http }: Pick<Settings, 'http'>) {
    this.#token = http.token;
    this.#allowedHosts = http.allowedHosts;
  }

  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<IncomingMessage>();
    // Requests for images and links of a foreign page have no Origin, but browsers mark them with Sec-Fetch-Site.
    if (!OWN_SITES.has(headers['sec-fetch-site']) && !isOriginListed(headers.origin, this.#allowedHosts)) {
      throw new HttpFailure('ERR_ORIGIN_NOT_ALLOWED', 'A page of another origin cannot make this call');
    }
    if (this.#token !== undefined && !isEqual(BEARER.exec(headers.authorization ?? '')?.[1] ?? '', this.#token)) {
      throw new HttpFailure(
        'ERR_UNAUTHORIZED',
        'Missing or wrong token: send the header "Authorization: Bearer <value of HTTP_TOKEN>"',
      );
    }
    return true;
  }
}

/** Compares texts in a time that depends neither on their content nor on their lengths. */
function isEqual(given: string, expected: string): boolean {
  return equalBytes(digest(given), digest(expected));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
