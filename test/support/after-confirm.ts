import type { ConnectionCodec } from '../../libs/channel/src/connection/codec.js';
import type { RecordContent } from '../../libs/channel/src/record/content.js';

/**
 * For a server's connection without the part that reads CONFIRM before it: here its codec does, and calls `confirmed`. The
 * connection is given KEY_UPDATE in its place, which it leaves to its codec.
 */
export function afterConfirm(codec: ConnectionCodec, confirmed: () => void): ConnectionCodec {
  const { deserializer } = codec;
  let isFirst = true;
  const deserialize = (body: Buffer): RecordContent => {
    const content = deserializer.deserialize(body);
    if (!isFirst || content.type !== 'CONFIRM') return content;
    isFirst = false;
    confirmed();
    return { type: 'KEY_UPDATE' };
  };
  return {
    serializer: codec.serializer,
    deserializer: { deserialize, wipe: () => deserializer.wipe() },
    keyLeftMs: () => codec.keyLeftMs(),
    isShortOfUpdates: () => codec.isShortOfUpdates(),
    hibernate: () => codec.hibernate(),
  };
}
