import { request } from 'node:http';

/**
 * Makes one HTTP call on its own connection, so that no connection stays open for which an app would wait at its end.
 *
 * @param {string} url
 * @param {{ method?: string, headers?: Record<string, string>, body?: string, timeoutMs: number, stop: AbortSignal }} options
 * @returns {Promise<{ status: number, text: string }>}
 */
export function call(url, { method = 'GET', headers = {}, body, timeoutMs, stop }) {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.any([stop, AbortSignal.timeout(timeoutMs)]);
    const outgoing = request(url, { method, headers, agent: false, signal }, (incoming) => {
      let text = '';
      incoming.setEncoding('utf8');
      incoming.on('data', (part) => (text += part));
      incoming.once('end', () => resolve({ status: incoming.statusCode ?? 0, text }));
      incoming.once('error', reject);
    });
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}
