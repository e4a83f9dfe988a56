import { TransportError } from '@sealwire/channel';
import { Deadline } from '@sealwire/channel/internal';

import type { Input } from '../input.js';
import type { Terminal } from '../terminal.js';
import type { Result } from '../verb.js';
import { withConnection } from './connection.js';
import type { Connected } from './connection.js';

export function run(input: Input, terminal: Terminal): Promise<Result> {
  return withConnection(input, terminal, async (connected) => {
    const { server, keyId, service } = connected;
    const roundTripMs = rounded(await untilPong(connected));
    const connectMs = rounded(connected.connectMs);
    const text = `${server} answered in ${roundTripMs} ms; connected in ${connectMs} ms with the key ${keyId}, service ${JSON.stringify(service)}`;
    return { json: { server, keyId, service, connectMs, roundTripMs }, text };
  });
}

/**
 * Measures the time until PONG. A handshake alone proves little: a server that has too many connections closes after
 * it.
 */
function untilPong({ link, leftMs, stop }: Connected): Promise<number> {
  return new Promise((resolve, reject) => {
    const expire = (): void =>
      reject(new TransportError('ERR_PING_TIMEOUT', `PING timed out: the server sent no PONG within ${leftMs} ms`));
    const deadline = new Deadline(leftMs, expire);
    const interrupt = (): void => reject(stop.reason);
    stop.addEventListener('abort', interrupt);
    const answered = link.connection.ping().finally(() => {
      deadline.clear();
      stop.removeEventListener('abort', interrupt);
    });
    answered.then(resolve, reject);
  });
}

function rounded(durationMs: number): number {
  return Math.round(durationMs * 10) / 10;
}
