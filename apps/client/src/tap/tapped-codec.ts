import type { SealwireClient } from '@sealwire/transport';

import type { TappedConnection } from './tapped-connection.js';
import { LENGTH_BYTES } from './wire-row.js';

export type Codec = ReturnType<SealwireClient['createCodec']>;
type Contents = Parameters<Codec['serializer']['serialize']>[0];
type Content = Contents extends Iterable<infer Each> ? Each : never;

/** Passes on what another codec seals and opens, and notes each record. */
export class TappedCodec implements Codec {
  readonly serializer: Codec['serializer'];
  readonly deserializer: Codec['deserializer'];
  readonly #codec: Codec;
  readonly #connection: TappedConnection;

  constructor(codec: Codec, connection: TappedConnection) {
    this.#codec = codec;
    this.#connection = connection;
    const { serializer, deserializer } = codec;
    this.serializer = {
      serialize: (contents) => this.#serialize(contents),
      wipe: () => {
        serializer.wipe();
        connection.end();
      },
    };
    this.deserializer = { deserialize: (body) => this.#deserialize(body), wipe: () => deserializer.wipe() };
  }

  keyLeftMs(): number {
    return this.#codec.keyLeftMs();
  }

  isShortOfUpdates(): boolean {
    return this.#codec.isShortOfUpdates();
  }

  hibernate(): void {
    this.#codec.hibernate();
  }

  #serialize(contents: Contents): Buffer {
    const types: string[] = [];
    const records = this.#codec.serializer.serialize(this.#noted(contents, types));
    let at = 0;
    for (const type of types) {
      const bytes = LENGTH_BYTES + records.readUInt16BE(at);
      const sealed = this.#connection.show(records.subarray(at + LENGTH_BYTES, at + bytes));
      this.#connection.note({ direction: 'sent', type, bytes, sealed });
      at += bytes;
    }
    return records;
  }

  /** Yields the contents, and adds the type of each record that they become to `types`. */
  *#noted(contents: Contents, types: string[]): Generator<Content, void> {
    for (const content of contents) {
      const keyLeftMs = this.#codec.keyLeftMs();
      let isSealed = content.type !== 'KEY_UPDATE'; // only an opportunity for one
      if (content.type === 'DATA') {
        const { frames } = content;
        const writeFrames = (target: Buffer, at: number): number => {
          const bytes = frames.writeFrames(target, at);
          isSealed = bytes > 0;
          return bytes;
        };
        yield { type: 'DATA', frames: { writeFrames } };
      } else {
        yield content;
      }
      if (this.#codec.keyLeftMs() > keyLeftMs) types.push('KEY_UPDATE'); // the codec puts it before the content
      if (isSealed) types.push(content.type);
    }
  }

  #deserialize(body: Buffer) {
    const sealed = this.#connection.show(body); // before it is opened in place
    const note = (type: string): void =>
      this.#connection.note({ direction: 'received', type, bytes: LENGTH_BYTES + body.length, sealed });
    try {
      const content = this.#codec.deserializer.deserialize(body);
      note(content.type);
      return content;
    } catch (error) {
      note('REFUSED');
      throw error;
    }
  }
}
