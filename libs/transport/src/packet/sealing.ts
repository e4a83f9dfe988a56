// Nest's serializer and deserializer of the records of one connection: the only place on the message path where AES-128-CBC
// happens. A user's own serializer and deserializer work on packets, above it.
import type { Deserializer, Serializer } from '@nestjs/microservices';
import type { KeyLimits } from '@sealwire/channel';
import { takeCodec } from '@sealwire/channel/internal';
import type { ConnectionCodec, OutgoingContent, RecordContent, Session } from '@sealwire/channel/internal';

export interface SealingCodec extends ConnectionCodec {
  readonly serializer: ConnectionCodec['serializer'] & Serializer<Iterable<OutgoingContent>, Buffer>;
  readonly deserializer: ConnectionCodec['deserializer'] & Deserializer<Buffer, RecordContent>;
}

/** Takes the keys of the session over, and overwrites them there. */
export function createSealingCodec(session: Session, limits: KeyLimits): SealingCodec {
  return takeCodec(session, limits);
}
