// Calls of the HTTP trigger. A failure has the code and the message of the answer.
import { textLines } from './text-lines.js';

export class CallFailure extends Error {
  constructor({ code = 'ERR_UNEXPECTED', message = 'The app gave no reason' }) {
    super(message);
    this.code = code;
  }
}

/** Returns the code and the message of a failure of a call. */
export function reasonOf(failure) {
  if (!(failure instanceof CallFailure)) return 'The client app does not answer: start it again';
  return `${failure.code}: ${failure.message}`;
}

/** Returns the value of the answer: bytes, or JSON. */
export async function request(access, { pattern, body, format, signal }) {
  const response = await post(access, `send/${encodeURIComponent(pattern)}`, { body, format, signal });
  const isBytes = response.headers.get('content-type') === 'application/octet-stream';
  return isBytes ? new Uint8Array(await response.arrayBuffer()) : response.json();
}

/** Resolves when the server has accepted the event. */
export async function event(access, { pattern, body, format, signal }) {
  await post(access, `emit/${encodeURIComponent(pattern)}`, { body, format, signal });
}

/** Yields the values of an answer. Aborting the signal cancels the handler. */
export async function* stream(access, { pattern, body, signal }) {
  const query = new URLSearchParams({ data: body });
  const response = await access.fetch(`stream/${encodeURIComponent(pattern)}?${query}`, { signal });
  if (!response.ok) throw await failureOf(response);
  let name = '';
  for await (const line of textLines(response)) {
    if (line === '') name = '';
    else if (line.startsWith('event: ')) name = line.slice(7);
    else if (line.startsWith('data: ')) {
      const value = JSON.parse(line.slice(6));
      if (name === 'complete') return;
      if (name === 'error') throw new CallFailure(value);
      yield value;
    }
  }
  throw new CallFailure({ code: 'ERR_INCOMPLETE', message: 'The stream ended before it was complete' });
}

async function post(access, path, { body, format, signal }) {
  const type = format === 'bytes' ? 'application/octet-stream' : 'application/json';
  const response = await access.fetch(path, { method: 'POST', headers: { 'content-type': type }, body, signal });
  if (!response.ok) throw await failureOf(response);
  return response;
}

/** Returns the failure that the app has answered with. */
export async function failureOf(response) {
  const text = await response.text();
  try {
    return new CallFailure(JSON.parse(text));
  } catch {
    return new CallFailure({ message: `The app answered with status ${response.status}` });
  }
}
