// The serializer and deserializer of one connection (docs/protocol.md §5). All encryption of messages happens here.
import { wipe } from '@sealwire/crypto';

import { clock } from '../clock.js';
import type { Session } from '../handshake/index.js';
import { decodeContent, writeContent } from '../record/content.js';
import type { OutgoingContent, RecordContent } from '../record/content.js';
import { OpeningHalf, SealingHalf } from '../record/half-connection.js';
import type { KeyLimits } from '../record/traffic-key.js';
import { MAX_INNER_BYTES, recordBytes, SUITE } from '../record/record.js';
import { giveBackSlab, takeSlab } from '../record/slab.js';
import type { ConnectionCodec } from './codec.js';

const KEY_UPDATE = { type: 'KEY_UPDATE' } as const;
const KEY_UPDATE_BYTES = recordBytes(1);
const MAX_RECORD_BYTES = recordBytes(MAX_INNER_BYTES);
const NOTHING: Buffer = Buffer.alloc(0);

// Shared by the process: a content is sealed before the next one is written here.
const inner = Buffer.alloc(MAX_INNER_BYTES + SUITE.paddingRoomBytes);

/**
 * Seals the contents of one turn of the event loop. It inserts a KEY_UPDATE when the key is old or spent. A KEY_UPDATE
 * among the contents is not sealed itself; it only marks a point at which one may be inserted.
 */
export class SealingSerializer extends SealingHalf {
  serialize(contents: Iterable<OutgoingContent>): Buffer {
    const nowMs = clock.nowMs();
    let slab = takeSlab();
    let at = 0;
    for (const content of contents) {
      if (slab.length - at < KEY_UPDATE_BYTES + MAX_RECORD_BYTES) slab = enlarge(slab, at);
      if (this.#isDue(content, nowMs)) {
        at = this.#seal(slab, at, KEY_UPDATE);
        this.updateKey(nowMs);
      }
      if (content.type !== 'KEY_UPDATE') at = this.#seal(slab, at, content);
    }
    if (at > 0) return slab.subarray(0, at);
    giveBackSlab(slab);
    return NOTHING;
  }

  /**
   * Returns whether KEY_UPDATE must precede this content. By age, it precedes every record except the first and the
   * last one.
   */
  #isDue({ type }: OutgoingContent, nowMs: number): boolean {
    switch (type) {
      case 'CONFIRM': // must be the first record
      case 'CLOSE': // needs no new key, because it is the last record
        return false;
      case 'KEY_UPDATE':
      case 'DATA':
      case 'GOAWAY':
        return this.isOld(nowMs) || this.isSpent(nowMs);
      case 'PING':
      case 'PONG':
      case 'CREDIT':
        return this.isOld(nowMs);
    }
  }

  /** @returns Where the record ends. */
  #seal(target: Buffer, offset: number, content: OutgoingContent): number {
    const bytes = writeContent(inner, content);
    if (bytes === 0) return offset;
    this.sealInto(target, offset, inner, bytes);
    return offset + recordBytes(bytes);
  }
}

/** Copies to a larger buffer, for a caller that passes more than the contents of one write. */
function enlarge(slab: Buffer, filled: number): Buffer {
  const larger = Buffer.allocUnsafeSlow(2 * slab.length);
  slab.copy(larger, 0, 0, filled);
  giveBackSlab(slab);
  return larger;
}

/** Opens records in order. Every error ends the connection. */
export class OpeningDeserializer extends OpeningHalf {
  deserialize(body: Buffer): RecordContent {
    const nowMs = clock.nowMs();
    const content = decodeContent(this.open(body, nowMs));
    if (content.type === 'KEY_UPDATE') this.updateKey(nowMs);
    return content;
  }
}

/** Both directions of one connection. */
class SealingCodec implements ConnectionCodec {
  readonly serializer: SealingSerializer;
  readonly deserializer: OpeningDeserializer;

  constructor({ outgoingKey, incomingKey }: Session, limits: KeyLimits, nowMs: number) {
    this.serializer = new SealingSerializer(outgoingKey, limits, nowMs);
    this.deserializer = new OpeningDeserializer(incomingKey, limits, nowMs);
  }

  keyLeftMs(): number {
    return this.serializer.keyLeftMs(clock.nowMs());
  }

  isShortOfUpdates(): boolean {
    return this.serializer.isShortOfUpdates;
  }

  hibernate(): void {
    this.serializer.hibernate();
    this.deserializer.hibernate();
  }
}

export function createCodec(session: Session, limits: KeyLimits): ConnectionCodec {
  return new SealingCodec(session, limits, clock.nowMs());
}

/**
 * Creates a codec as {@link createCodec} does, and overwrites the keys of the session, so that only the codec has them.
 */
export function takeCodec(session: Session, limits: KeyLimits): ConnectionCodec {
  const codec = createCodec(session, limits);
  wipe(session.outgoingKey, session.incomingKey);
  return codec;
}
