// Nest's serializer and deserializer of one connection (docs/protocol.md §5): the only place on the message path where
// AES-128-CBC happens. A user's own serializer and deserializer work on packets, above it.
import type { Deserializer, Serializer } from '@nestjs/microservices';

import type { ConnectionCodec } from '../connection/codec.js';
import type { Session } from '../handshake/index.js';
import { decodeContent, encodeContent } from '../record/content.js';
import type { RecordContent } from '../record/content.js';
import { OpeningHalf, SealingHalf } from '../record/half-connection.js';
import type { KeyLimits } from '../record/half-connection.js';

/** Seals what one turn of the event loop has to say. KEY_UPDATE is its own business: it comes when the key is worn. */
export class SealingSerializer implements Serializer<readonly RecordContent[], Buffer> {
  readonly #half: SealingHalf;

  constructor(half: SealingHalf) {
    this.#half = half;
  }

  serialize(contents: readonly RecordContent[]): Buffer {
    const records = contents.flatMap((content) => this.#seal(content));
    const [first] = records;
    return records.length === 1 && first !== undefined ? first : Buffer.concat(records);
  }

  #seal(content: RecordContent): readonly Buffer[] {
    const nowMs = performance.now();
    const inner = encodeContent(content);
    if (!this.#half.isWorn(nowMs)) return [this.#half.seal(inner)];
    const update = this.#half.seal(encodeContent({ type: 'KEY_UPDATE' }));
    this.#half.updateKey(nowMs);
    return [update, this.#half.seal(inner)];
  }
}

/** Opens one record after the other. What it throws ends the connection. */
export class OpeningDeserializer implements Deserializer<Buffer, RecordContent> {
  readonly #half: OpeningHalf;

  constructor(half: OpeningHalf) {
    this.#half = half;
  }

  deserialize(body: Buffer): RecordContent {
    const nowMs = performance.now();
    const content = decodeContent(this.#half.open(body, nowMs));
    if (content.type === 'KEY_UPDATE') this.#half.updateKey(nowMs);
    return content;
  }
}

export function createCodec({ outgoingKey, incomingKey }: Session, limits: KeyLimits): ConnectionCodec {
  const nowMs = performance.now();
  return {
    serializer: new SealingSerializer(new SealingHalf(outgoingKey, limits, nowMs)),
    deserializer: new OpeningDeserializer(new OpeningHalf(incomingKey, limits, nowMs)),
  };
}
