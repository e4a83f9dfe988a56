// The serializer and deserializer of one connection (docs/protocol.md §5): the only place on the message path where
// AES-128-CBC happens.
import { wipe } from '@sealwire/crypto';

import { clock } from '../clock.js';
import type { Session } from '../handshake/index.js';
import { decodeContent, writeContent } from '../record/content.js';
import type { OutgoingContent, RecordContent } from '../record/content.js';
import { OpeningHalf, SealingHalf } from '../record/half-connection.js';
import type { KeyLimits } from '../record/half-connection.js';
import { MAX_INNER_BYTES, recordBytes, SUITE } from '../record/record.js';
import { giveBackSlab, takeSlab } from '../record/slab.js';
import type { ConnectionCodec } from './codec.js';

const KEY_UPDATE = { type: 'KEY_UPDATE' } as const;
const KEY_UPDATE_BYTES = recordBytes(1);
const MAX_RECORD_BYTES = recordBytes(MAX_INNER_BYTES);
const NOTHING: Buffer = Buffer.alloc(0);

// One for the process: it is sealed before anything else is written to it.
const inner = Buffer.alloc(MAX_INNER_BYTES + SUITE.paddingRoomBytes);

/**
 * Seals what one turn of the event loop has to say. KEY_UPDATE is its own business: it comes when the key is old or
 * spent, and one that it is given says no more than that this is its turn.
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

  /** Whether KEY_UPDATE goes before this content: by age before all but the first and the last record of a side. */
  #isDue({ type }: OutgoingContent, nowMs: number): boolean {
    switch (type) {
      case 'CONFIRM': // has to be the first record
      case 'CLOSE': // needs no fresh key: nothing comes behind it
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

/** Whoever gives more than one write's worth of contents gets memory of its own for them. */
function enlarge(slab: Buffer, filled: number): Buffer {
  const larger = Buffer.allocUnsafeSlow(2 * slab.length);
  slab.copy(larger, 0, 0, filled);
  giveBackSlab(slab);
  return larger;
}

/** Opens one record after the other. What it throws ends the connection. */
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

/** As {@link createCodec}, and overwrites the keys of the session: from here on the codec alone has them. */
export function takeCodec(session: Session, limits: KeyLimits): ConnectionCodec {
  const codec = createCodec(session, limits);
  wipe(session.outgoingKey, session.incomingKey);
  return codec;
}
