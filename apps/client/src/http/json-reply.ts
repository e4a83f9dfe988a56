import type { ServerResponse } from 'node:http';

import { TransportError } from '@sealwire/transport';

/** The time after which a caller that reads nothing counts as gone, so that this app need not keep its answers. */
export const UNREAD_TIMEOUT_MS = 60_000;

export interface Reply {
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

/** Encodes a value from the channel as JSON; bytes as `{ "base64": "…" }`. */
export function toJson(value: unknown): string {
  if (value instanceof Uint8Array) return JSON.stringify({ base64: Buffer.from(value).toString('base64') });
  try {
    return JSON.stringify(value) ?? 'null'; // undefined is the answer of a handler that returns nothing
  } catch (cause) {
    // The value was parsed from JSON, so only its depth can be the cause: older engines write less of it than they read.
    throw new TransportError('ERR_MESSAGE_UNSERIALIZABLE', 'The answer is nested too deeply', { cause, sent: true });
  }
}

/** Returns a reply with JSON of any kind, including a bare text or number. */
export function jsonReply(json: string): Reply {
  return { contentType: 'application/json; charset=utf-8', bytes: Buffer.from(json) };
}

/** Returns a reply with the answer of a handler: bytes unchanged, anything else as JSON. */
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

/** Destroys `response` if the caller reads nothing for {@link UNREAD_TIMEOUT_MS}. */
export function destroyUnread(response: ServerResponse): void {
  response.setTimeout(UNREAD_TIMEOUT_MS, () => response.destroy());
}
