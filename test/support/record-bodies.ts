import type { RecordDecoder } from '../../libs/channel/src/record/record.js';

/** The bodies of all records that `chunk` completes, each when it is asked for. */
export function* eachRecordBody(decoder: RecordDecoder, chunk: Buffer): Generator<Buffer, void> {
  decoder.push(chunk);
  for (let body = decoder.next(); body !== undefined; body = decoder.next()) yield body;
}

export function recordBodies(decoder: RecordDecoder, chunk: Buffer): Buffer[] {
  return [...eachRecordBody(decoder, chunk)];
}
