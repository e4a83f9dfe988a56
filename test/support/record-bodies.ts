import type { RecordDecoder } from '../../libs/transport/src/record/record.js';

/** The bodies of all records that `chunk` completes. */
export function recordBodies(decoder: RecordDecoder, chunk: Buffer): Buffer[] {
  const bodies: Buffer[] = [];
  decoder.push(chunk, (body) => {
    bodies.push(body);
    return true;
  });
  return bodies;
}
