import type { ReadPacket } from '@nestjs/microservices';
import { TransportError } from '@sealwire/channel';
import { brand } from '@sealwire/channel/internal';

import { checkTimeoutMs } from '../options.js';
import type { Metadata } from '../packet/message.js';

export interface SealwireRecordOptions {
  /** After that this one request fails, at both ends; 0: never. Default: the client's `requestTimeoutMs`. */
  readonly timeoutMs?: number;
  /** For the handler, which reads it with `context.getMetadata()`; strings only, at most 64 KiB as JSON. */
  readonly metadata?: Metadata;
}

/** Data with the options of this one message. Made by a {@link SealwireRecordBuilder}. */
export class SealwireRecord<Data = unknown> {
  static {
    brand(this, 'SealwireRecord');
  }

  readonly data: Data;
  readonly options: SealwireRecordOptions;

  constructor(data: Data, options: SealwireRecordOptions) {
    this.data = data;
    this.options = options;
  }
}

/** `client.send('sum', new SealwireRecordBuilder([1, 2]).setTimeoutMs(500).setMetadata({ trace: '…' }).build())` */
export class SealwireRecordBuilder<Data = unknown> {
  static {
    brand(this, 'SealwireRecordBuilder');
  }

  #data: Data | undefined;
  #options: SealwireRecordOptions = {};

  constructor(data?: Data) {
    this.#data = data;
  }

  setData(data: Data): this {
    this.#data = data;
    return this;
  }

  /** @throws {TransportError} `ERR_BAD_OPTION` - not 0 to 2^31 - 1 milliseconds. */
  setTimeoutMs(timeoutMs: number): this {
    this.#options = { ...this.#options, timeoutMs: checkTimeoutMs('timeoutMs', timeoutMs) };
    return this;
  }

  setMetadata(metadata: Metadata): this {
    this.#options = { ...this.#options, metadata };
    return this;
  }

  /** @throws {TransportError} `ERR_BAD_OPTION` - no data was given: Nest sends no message without. */
  build(): SealwireRecord<Data> {
    const data = this.#data;
    if (data === undefined || data === null) throw new TransportError('ERR_BAD_OPTION', 'A record needs data');
    return new SealwireRecord<Data>(data, this.#options);
  }
}

/** A request or event on its way to the user's serializer. `metadata` is that of Nest 12; earlier versions have none. */
export type OutgoingPacket = ReadPacket & { readonly metadata?: Metadata };

const NOT_BUILT = 'The data is a SealwireRecordBuilder; send what its build() returns';

export interface UnwrappedRecord {
  readonly packet: OutgoingPacket;
  /** Undefined if the record has none: that of the client applies. */
  readonly timeoutMs?: number;
}

/**
 * Takes the data out of a record; the record's metadata goes over what a dispatch hook has attached.
 *
 * @throws {TransportError} `ERR_BAD_OPTION` - a builder, which would travel as `{}`.
 */
export function unwrapRecord(packet: OutgoingPacket): UnwrappedRecord {
  const data: unknown = packet.data;
  if (data instanceof SealwireRecordBuilder) throw new TransportError('ERR_BAD_OPTION', NOT_BUILT, { sent: false });
  if (!(data instanceof SealwireRecord)) return { packet };
  const { metadata, ...rest } = data.options;
  const unwrapped: OutgoingPacket = { ...packet, data: data.data };
  return {
    ...rest,
    packet: metadata === undefined ? unwrapped : { ...unwrapped, metadata: { ...packet.metadata, ...metadata } },
  };
}
