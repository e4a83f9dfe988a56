// The stack of docker-compose.yml, as `npm run test:compose` names its project, and how to talk with it.
import { execFile } from 'node:child_process';
import { expect, vi } from 'vitest';
import { call, post, type Answer } from '../support/http-call.js';
import { freePorts } from '../support/free-ports.js';

const COMMAND_TIMEOUT_MS = 240_000;
const MAX_OUTPUT_BYTES = 64 * 1_048_576; // a log has two lines for each message
const ANSWER_TIMEOUT_MS = 30_000;
export const START_TIMEOUT_MS = 180_000;

const [program = '', ...project] = JSON.parse(process.env['COMPOSE'] ?? '[]') as readonly string[];
/** Where the trigger is published. */
export const { port } = await freePorts('port');
const url = `http://127.0.0.1:${port}`;
// All of them, so that nothing else in the environment or in .env decides what is tested.
const env = { ...process.env, HTTP_PORT: port, HTTP_TOKEN: '', LOG_FORMAT: 'pretty', LOG_MESSAGES: 'true' };

export interface Ended {
  readonly code: number | string | null | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a command of Compose ends that may fail. */
export function attempt(args: readonly string[], timeoutMs = COMMAND_TIMEOUT_MS): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(
      program,
      [...project, ...args],
      { env, timeout: timeoutMs, maxBuffer: MAX_OUTPUT_BYTES },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : error.code, stdout, stderr }),
    );
  });
}

/** What a command of Compose prints that must not fail. */
export async function compose(args: readonly string[], timeoutMs = COMMAND_TIMEOUT_MS): Promise<string> {
  const { code, stdout, stderr } = await attempt(args, timeoutMs);
  if (code !== 0) throw new Error(`compose ${args[0]} failed (exit code ${code}): ${stdout}${stderr}`);
  return stdout;
}

/** @param servers - The number of containers of the server. */
export function up(servers = 1): Promise<string> {
  return compose(['up', '-d', '--scale', `server=${servers}`], START_TIMEOUT_MS);
}

/** What a service has printed so far. */
export async function readLog(service: string): Promise<readonly string[]> {
  const text = await compose(['logs', '--no-color', '--no-log-prefix', service]);
  return linesOf(text).filter((line) => !line.startsWith('Attaching to '));
}

export function linesOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '');
}

export function get(path: string): Promise<Answer> {
  return call(`${url}${path}`, { method: 'GET', signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
}

/** The JSON of an answer that has to have status 200. */
export async function send(path: string, value?: unknown): Promise<unknown> {
  const { status, text, json } = await post(`${url}${path}`, value, { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
  expect({ status, text }).toMatchObject({ status: 200 });
  return json;
}

export interface Receipt {
  readonly text: string;
  readonly bytes: number;
  readonly receivedAt: string;
  readonly keyId: string;
  /** The id of the container that answered. */
  readonly server: string;
}

/** Sends messages without a pause, several at a time, until it is stopped. */
export class Messages {
  readonly receipts: Receipt[] = [];
  readonly failures: unknown[] = [];
  readonly #senders: readonly Promise<void>[];
  #isStopped = false;

  constructor(atOnce: number) {
    this.#senders = Array.from({ length: atOnce }, () => this.#send());
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#senders);
  }

  async #send(): Promise<void> {
    while (!this.#isStopped) {
      try {
        this.receipts.push((await send('/messages')) as Receipt);
      } catch (error) {
        this.failures.push(error);
      }
    }
  }
}

/** The receipt of the first message that is answered: a service may still be starting. */
export function firstReceipt(): Promise<Receipt> {
  return vi.waitFor(async () => (await send('/messages')) as Receipt, { timeout: START_TIMEOUT_MS, interval: 100 });
}
