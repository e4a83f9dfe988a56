import type { ServerResponse } from 'node:http';

import { TransportError } from '@sealwire/transport';

/** A caller that reads nothing for so long has gone, or wants this app to keep its answers. */
export const UNREAD_TIMEOUT_MS = 60_000;

export interface Reply {
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

/** JSON of any value from the channel. Bytes, which JSON does not know, stand in it as `{ "base64": "…" }`. */
export function toJson(value: unknown): string {
  if (value instanceof Uint8Array) return JSON.stringify({ base64: Buffer.from(value).toString('base64') });
  try {
    return JSON.stringify(value) ?? 'null'; // undefined: the answer of a handler that returns nothing
  } catch (cause) {
    // It was parsed from JSON: only its depth can be wrong, of which older engines write less than they read.
    throw new TransportError('ERR_MESSAGE_UNSERIALIZABLE', 'The answer is nested too deep', { cause, sent: true });
  }
}

/** JSON is a reply also if it is a bare text or number. */
export function jsonReply(json: string): Reply {
  return { contentType: 'application/json; charset=utf-8', bytes: Buffer.from(json) };
}

/** What the handler answered: bytes as they are, anything else as JSON. */
export function valueReply(value: unknown): Reply {
  if (value instanceof Uint8Array) return { contentType: 'application/octet-stream', bytes: value };
  return jsonReply(toJson(value));
}

export function sendJson(response: ServerResponse, json: string, statusCode = 200): void {
  sendReply(response, jsonReply(json), statusCode);
}

export function sendReply(response: ServerResponse, { contentType, bytes }: Reply, statusCode = 200): void {
  response.writeHead(statusCode, {
    'content-type': contentType,
    'content-length': bytes.length,
    'cache-control': 'no-store',
  });
  destroyUnread(response);
  response.end(bytes);
}

/** Destroys `response` once the caller has read nothing of what is written for {@link UNREAD_TIMEOUT_MS}. */
export function destroyUnread(response: ServerResponse): void {
  response.setTimeout(UNREAD_TIMEOUT_MS, () => response.destroy());
}
