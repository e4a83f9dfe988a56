import type { ServerResponse } from 'node:http';

/** JSON of any value from the channel. Bytes, which JSON does not know, stand in it as `{ "base64": "…" }`. */
export function toJson(value: unknown): string {
  if (value instanceof Uint8Array) return JSON.stringify({ base64: Buffer.from(value).toString('base64') });
  return JSON.stringify(value) ?? 'null'; // undefined: the answer of a handler that returns nothing
}

/** Answers with JSON, also where the value is a bare text or number. */
export function sendJson(response: ServerResponse, json: string, statusCode = 200): void {
  send(response, statusCode, 'application/json; charset=utf-8', Buffer.from(json));
}

/** Answers with what the handler did: bytes as they are, anything else as JSON. */
export function sendValue(response: ServerResponse, value: unknown): void {
  if (value instanceof Uint8Array) send(response, 200, 'application/octet-stream', value);
  else sendJson(response, toJson(value));
}

function send(response: ServerResponse, statusCode: number, contentType: string, bytes: Uint8Array): void {
  response.writeHead(statusCode, {
    'content-type': contentType,
    'content-length': bytes.length,
    'cache-control': 'no-store',
  });
  response.end(bytes);
}
