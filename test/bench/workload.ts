import type { ConnectedClient } from './peer.js';

/** What is asked of every peer alike: echo a JSON value, with a fixed number of requests under way. */
export interface Workload {
  readonly inFlight: number;
  /** Length of the payload's JSON text. */
  readonly payloadBytes: number;
}

export interface Finished {
  /** Of every request, in the order of the answers. */
  readonly latenciesMs: readonly number[];
  /** From the first request to the last answer. */
  readonly elapsedMs: number;
}

export function nameOf({ inFlight, payloadBytes }: Workload): string {
  return `${inFlight}x${payloadBytes}B`;
}

/** Keeps `inFlight` requests under way for `durationMs`, then waits for the answers. Every answer must be the payload. */
export function runWorkload(client: ConnectedClient, workload: Workload, durationMs: number): Promise<Finished> {
  const payload = jsonPayload(workload.payloadBytes);
  const latenciesMs: number[] = [];
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    let underWay = 0;
    const sendOne = (): void => {
      const sentAt = performance.now();
      underWay++;
      client.request(payload, (error, answer) => {
        if (error !== undefined) return reject(error);
        if (!isEcho(answer, payload)) return reject(new Error('An answer is not what was sent'));
        const answeredAt = performance.now();
        latenciesMs.push(answeredAt - sentAt);
        underWay--;
        if (answeredAt - startedAt < durationMs) sendOne();
        else if (underWay === 0) resolve({ latenciesMs, elapsedMs: answeredAt - startedAt });
      });
    };
    for (let index = 0; index < workload.inFlight; index++) sendOne();
  });
}

interface Payload {
  readonly text: string;
}

const ALPHABET = 'Sealwire echoes what it was sent, and nothing else. ';

/** @returns A value whose JSON text has exactly `bytes` bytes. */
export function jsonPayload(bytes: number): Payload {
  const textBytes = bytes - JSON.stringify({ text: '' }).length;
  return { text: ALPHABET.repeat(Math.ceil(textBytes / ALPHABET.length)).slice(0, textBytes) };
}

function isEcho(answer: unknown, payload: Payload): boolean {
  return typeof answer === 'object' && answer !== null && 'text' in answer && answer.text === payload.text;
}
