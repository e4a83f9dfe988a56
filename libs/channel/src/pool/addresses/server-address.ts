import { formatEndpoint } from '../../options/endpoint.js';
import type { Endpoint } from '../../options/endpoint.js';

/** An address that a client dials. */
export interface ServerAddress {
  readonly endpoint: Endpoint;
  /** Its name in events, log lines and errors: `server:8080`, or `server:8080 (172.18.0.3)` if the name has several. */
  readonly name: string;
}

export function serverAt(endpoint: Endpoint): ServerAddress {
  return { endpoint, name: formatEndpoint(endpoint) };
}
