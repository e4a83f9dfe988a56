import type { Socket } from 'node:net';

import type { Fact } from '../attack-result.js';

const DEADLINE_MS = 3_000;

/** How the server answered an attack on a connection, as read from its socket. */
export interface Ending {
  /** `none` if the connection was still open after {@link DEADLINE_MS}. */
  readonly how: 'FIN' | 'RST' | 'none';
  readonly afterMs: number;
  /** The bytes that the server sent after the attack. */
  readonly bytes: number;
}

/** Resolves when the server ends the connection, or at the deadline. Call it at the moment of the attack. */
export function watchEnding(socket: Socket): Promise<Ending> {
  const begunMs = performance.now();
  const bytesBefore = socket.bytesRead;
  return new Promise((resolve) => {
    const end = (how: Ending['how']) => (): void => {
      clearTimeout(timer);
      resolve({ how, afterMs: performance.now() - begunMs, bytes: socket.bytesRead - bytesBefore });
    };
    const timer = setTimeout(end('none'), DEADLINE_MS);
    socket.once('end', end('FIN')).once('error', end('RST')).once('close', end('RST'));
  });
}

const ENDED = { FIN: 'ended the connection', RST: 'reset the connection', none: 'left the connection open' } as const;

export function endingFact({ how, afterMs, bytes }: Ending): Fact {
  const sent = bytes === 0 ? 'no answer' : `${bytes} bytes`;
  return { name: 'Server', text: `It ${ENDED[how]} after ${afterMs.toFixed(1)} ms, and sent ${sent}.` };
}
