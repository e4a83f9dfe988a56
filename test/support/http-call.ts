import { Agent, request } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';

export interface Call {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal;
  /** To call from, as another caller. */
  readonly localAddress?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly text: string;
  /** The body as JSON; undefined if it is not JSON. */
  readonly json: unknown;
}

/** Sends any header as it is given, Host and Origin too, which fetch would not. */
export function open(
  url: string,
  { method = 'POST', headers = {}, body, signal, localAddress }: Call = {},
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    // A connection of its own for each call: no call meets what another one has left on its socket. It is kept until the
    // response has been read, as one that is to be closed may go before the answer to a refused body was seen.
    const agent = new Agent({ keepAlive: true });
    const options = { method, headers, agent, ...(signal && { signal }), ...(localAddress && { localAddress }) };
    const outgoing = request(url, options, (response) => {
      response.once('close', () => agent.destroy());
      resolve(response);
    });
    outgoing.on('error', reject); // more than one may come, the later ones after the answer
    // A body that is refused half-way resets the socket, which by then no longer belongs to the call.
    outgoing.on('socket', (socket) => socket.on('error', reject));
    outgoing.end(body);
  });
}

export async function call(url: string, options: Call = {}): Promise<Answer> {
  const response = await open(url, options);
  const bytes = await buffer(response);
  const text = bytes.toString();
  return { status: response.statusCode ?? 0, headers: response.headers, bytes, text, json: parse(text) };
}

/** A POST of JSON. */
export function post(url: string, value?: unknown, options: Call = {}): Promise<Answer> {
  if (value === undefined) return call(url, options);
  const headers = { 'content-type': 'application/json', ...options.headers };
  return call(url, { ...options, headers, body: JSON.stringify(value) });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
