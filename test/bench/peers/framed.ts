// The client of the bare peers. A message on their wire:   length u32 ‖ encoding(1) ‖ bytes
//
// Their server sends back what it gets without looking at it, so the answers come in the order of the requests.

import type { Socket } from 'node:net';
import type { ConnectedClient, Done } from '../peer.js';

const HEADER_BYTES = 5;
const JSON_TEXT = 0;
const RAW_BYTES = 1;

export function framedClient(socket: Socket): ConnectedClient {
  const waiting = new Waiting();
  let chunks: Buffer[] = [];
  let bufferedBytes = 0;
  let neededBytes = HEADER_BYTES;
  socket.on('error', (error) => waiting.fail(error));
  socket.on('close', () => waiting.fail(new Error('The connection was closed')));
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    bufferedBytes += chunk.length;
    if (bufferedBytes < neededBytes) return;
    const { rest, needed } = answerAll(Buffer.concat(chunks), waiting);
    chunks = rest.length > 0 ? [rest] : [];
    bufferedBytes = rest.length;
    neededBytes = needed;
  });
  return {
    request(payload, done) {
      waiting.add(done);
      corkForThisTurn(socket);
      for (const part of encode(payload)) socket.write(part);
    },
    close: () => void socket.destroy(),
  };
}

/** Who waits for an answer, in the order of the requests. */
class Waiting {
  #dones: Done[] = [];
  #answered = 0;

  add(done: Done): void {
    this.#dones.push(done);
  }

  answer(value: unknown): void {
    this.#dones[this.#answered++]?.(undefined, value);
    if (this.#answered < 1024) return;
    this.#dones = this.#dones.slice(this.#answered);
    this.#answered = 0;
  }

  fail(error: Error): void {
    const failed = this.#dones.slice(this.#answered);
    this.#dones = [];
    this.#answered = 0;
    for (const done of failed) done(error);
  }
}

/** One write for everything that is sent in the same turn, as the floor of the others should have it. */
function corkForThisTurn(socket: Socket): void {
  if (socket.writableCorked > 0) return;
  socket.cork();
  process.nextTick(() => socket.uncork());
}

function encode(payload: unknown): readonly Uint8Array[] {
  if (payload instanceof Uint8Array) return [encodeHeader(RAW_BYTES, payload.byteLength), payload];
  const text = JSON.stringify(payload);
  const bytes = Buffer.byteLength(text);
  const message = Buffer.allocUnsafe(HEADER_BYTES + bytes);
  message.writeUInt32BE(bytes, 0);
  message[4] = JSON_TEXT;
  message.write(text, HEADER_BYTES);
  return [message];
}

function encodeHeader(encoding: number, bytes: number): Buffer {
  const header = Buffer.allocUnsafe(HEADER_BYTES);
  header.writeUInt32BE(bytes, 0);
  header[4] = encoding;
  return header;
}

function answerAll(bytes: Buffer, waiting: Waiting): { readonly rest: Buffer; readonly needed: number } {
  let at = 0;
  while (bytes.length - at >= HEADER_BYTES) {
    const end = at + HEADER_BYTES + bytes.readUInt32BE(at);
    if (end > bytes.length) return { rest: bytes.subarray(at), needed: end - at };
    const body = bytes.subarray(at + HEADER_BYTES, end);
    waiting.answer(bytes[at + 4] === JSON_TEXT ? JSON.parse(body.toString()) : body);
    at = end;
  }
  return { rest: bytes.subarray(at), needed: HEADER_BYTES };
}
