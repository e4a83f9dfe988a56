// Nest's serializer and deserializer for the records of one connection, the only place on the message path that seals and
// opens. The serializer and deserializer of a user work on packets, one layer above.
import type { Deserializer, Serializer } from '@nestjs/microservices';
import type { KeyLimits } from '@sealwire/channel';
import { takeCodec } from '@sealwire/channel/internal';
import type { ConnectionCodec, OutgoingContent, RecordContent, Session } from '@sealwire/channel/internal';

export interface SealingCodec extends ConnectionCodec {
  readonly serializer: ConnectionCodec['serializer'] & Serializer<Iterable<OutgoingContent>, Buffer>;
  readonly deserializer: ConnectionCodec['deserializer'] & Deserializer<Buffer, RecordContent>;
}

/** Creates a codec that takes over the keys of the session, where they are overwritten. */
export function createSealingCodec(session: Session, limits: KeyLimits): SealingCodec {
  return takeCodec(session, limits);
}
