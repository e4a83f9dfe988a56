import type { Done } from '../peer.js';
import type { Outcome } from './outcome.js';

/** Keeps `inFlight` calls under way while `goOn` says so, then waits for the last of them. Rejects with the first failure. */
export function keepInFlight(
  call: (done: Done) => void,
  inFlight: number,
  goOn: (elapsedMs: number) => boolean,
): Promise<Outcome> {
  const latenciesMs: number[] = [];
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    let underWay = 0;
    const callOnce = (): void => {
      const calledAt = performance.now();
      underWay++;
      call((error) => {
        if (error !== undefined) return reject(error);
        const doneAt = performance.now();
        latenciesMs.push(doneAt - calledAt);
        underWay--;
        if (goOn(doneAt - startedAt)) callOnce();
        else if (underWay === 0) resolve({ units: latenciesMs.length, latenciesMs, elapsedMs: doneAt - startedAt });
      });
    };
    for (let index = 0; index < inFlight; index++) callOnce();
  });
}
