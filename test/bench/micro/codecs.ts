import { randomBytes } from 'node:crypto';
import { sealA128CbcHs256 } from '@sealwire/crypto';
import { FrameReader, writeFrameHeader } from '#channel/frame/frame.js';
import { checkJson } from '#transport/packet/json-check.js';
import { decodeRequest, encodeRequest } from '#transport/packet/message.js';
import type { OutgoingMessage } from '#channel/sending/outgoing-message.js';
import { decodeData, encodeData } from '#transport/packet/payload.js';
import { OpeningHalf, SealingHalf } from '#channel/record/half-connection.js';
import type { KeyLimits } from '#channel/record/traffic-key.js';
import { RecordDecoder, recordBytes, SUITE } from '#channel/record/record.js';
import { makePayload } from '../payload.js';
import { callsFor, type MicroCase } from './case.js';
import { encryptThenMac, macThenDecrypt } from './openssl.js';

const SIZES_BYTES = [40, 300, 5000, 64_000];
const CHECKED_BYTES = [70_000, 1_000_000];
const FRAMES = 16;
const LAST = 2;

export function codecCases(): readonly MicroCase[] {
  return [...SIZES_BYTES.map(recordCase), ...frameCases(), ...messageCases(), ...CHECKED_BYTES.map(checkCase)];
}

/** A record from one end to the other: sealed, cut out of a stream of bytes, opened. */
function recordCase(bytes: number): MicroCase {
  const key = randomBytes(32);
  const [sealing, opening] = [new SealingHalf(key, NO_LIMITS, 0), new OpeningHalf(key, NO_LIMITS, 0)];
  const decoder = new RecordDecoder();
  const inner = randomBytes(bytes);
  const room = Buffer.concat([inner], bytes + SUITE.paddingRoomBytes); // sealing overwrites it: its length is all that counts
  const record = Buffer.alloc(recordBytes(bytes));
  const keys = { mac: key.subarray(0, 16), enc: key.subarray(16), iv: randomBytes(16), aad: randomBytes(10) };
  const sealed = Buffer.from(sealA128CbcHs256(key, keys.iv, keys.aad, inner));
  return {
    name: `record ${bytes}B`,
    callsPerSample: callsFor(bytes),
    ways: [
      {
        name: 'halves',
        run: () => {
          sealing.sealInto(record, 0, room, bytes);
          decoder.push(record);
          for (let body = decoder.next(); body !== undefined; body = decoder.next()) opening.open(body, 0);
        },
      },
      {
        name: 'openssl',
        run: () => {
          encryptThenMac(keys, inner);
          return macThenDecrypt(keys, sealed);
        },
      },
    ],
  };
}

const NO_LIMITS: KeyLimits = {
  softBytes: Infinity,
  hardBytes: Infinity,
  softRecords: Infinity,
  hardRecords: Infinity,
  softAgeMs: Infinity,
  hardAgeMs: Infinity,
};

function frameCases(): readonly MicroCase[] {
  const payloads = Array.from({ length: FRAMES }, () => randomBytes(256));
  const body = Buffer.alloc(FRAMES * (8 + 256));
  const encodeFrames = (): void => {
    let at = 0;
    for (const payload of payloads) {
      at = writeFrameHeader(body, at, 'NEXT', LAST, 1, payload.length);
      at += payload.copy(body, at);
    }
  };
  encodeFrames();
  return [
    {
      name: `encode ${FRAMES} frames`,
      callsPerSample: 32,
      ways: [
        { name: 'codec', run: encodeFrames },
        { name: 'copy', run: () => Buffer.concat(payloads) },
      ],
    },
    {
      name: `decode ${FRAMES} frames`,
      callsPerSample: 32,
      ways: [
        {
          name: 'codec',
          run: () => {
            let bytes = 0;
            const reader = new FrameReader(body);
            while (reader.next()) bytes += reader.end - reader.start;
            return bytes;
          },
        },
        { name: 'copy', run: () => Buffer.from(body) },
      ],
    },
  ];
}

/** What it costs to check JSON before it is parsed, which is done above 64 KiB. */
function checkCase(bytes: number): MicroCase {
  const line = { id: 12_345, name: 'a name', tags: ['a', 'b'], price: 9.95 };
  const lines = Array.from({ length: Math.ceil(bytes / JSON.stringify(line).length) }, () => line);
  const message = bytesOf(encodeData(lines));
  return {
    name: `read JSON ${bytes}B`,
    callsPerSample: callsFor(bytes),
    ways: [
      { name: 'checked', run: () => decodeData(message) },
      { name: 'check alone', run: () => checkJson(message, undefined, 1) },
      { name: 'json', run: (): unknown => JSON.parse(message.toString('latin1', 1)) },
    ],
  };
}

function messageCases(): readonly MicroCase[] {
  const data = makePayload({ as: 'json', payloadBytes: 256 });
  const request = { timeoutMs: 0, pattern: 'echo', data };
  const message = bytesOf(encodeRequest(request));
  const record = Buffer.alloc(1_024);
  const text = Buffer.from(JSON.stringify(data));
  return [
    {
      name: 'encode request 256B',
      callsPerSample: 32,
      ways: [
        { name: 'codec', run: () => encodeRequest(request).write(record, 0) },
        { name: 'json', run: () => Buffer.from(JSON.stringify(data)) },
      ],
    },
    {
      name: 'decode request 256B',
      callsPerSample: 32,
      ways: [
        { name: 'codec', run: () => decodeRequest(message) },
        { name: 'json', run: (): unknown => JSON.parse(text.toString()) },
      ],
    },
  ];
}

function bytesOf(message: OutgoingMessage): Buffer {
  const bytes = Buffer.alloc(message.bytes);
  message.write(bytes, 0);
  return bytes;
}
