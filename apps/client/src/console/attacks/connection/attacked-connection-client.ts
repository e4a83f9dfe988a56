import { SealwireClient } from '@sealwire/transport';

type Codec = ReturnType<SealwireClient['createCodec']>;

/** Changes sealed records. It has no key, like somebody on the network. */
export type Attack = (records: Buffer) => Buffer;

/** A client whose sealed records can be changed on their way to the socket. */
export class AttackedConnectionClient extends SealwireClient {
  #attack: Attack | undefined;

  /** Applies an attack to the records of the next write, once. */
  attackNext(attack: Attack): void {
    this.#attack = attack;
  }

  protected override createCodec(...session: Parameters<SealwireClient['createCodec']>): Codec {
    const codec = super.createCodec(...session);
    const { serializer, deserializer } = codec;
    return {
      keyLeftMs: () => codec.keyLeftMs(),
      isShortOfUpdates: () => codec.isShortOfUpdates(),
      hibernate: () => codec.hibernate(),
      serializer: {
        serialize: (contents) => this.#pass(serializer.serialize(contents)),
        wipe: () => serializer.wipe(),
      },
      deserializer: { deserialize: (body) => deserializer.deserialize(body), wipe: () => deserializer.wipe() },
    };
  }

  #pass(records: Buffer): Buffer {
    const attack = this.#attack;
    if (attack === undefined || records.length === 0) return records;
    this.#attack = undefined;
    return attack(records);
  }
}
