import type { ReadPacket } from '@nestjs/microservices';
import { TransportError } from '@sealwire/channel';
import type { Delivery } from '@sealwire/channel';
import { checkOption, DELIVERY, FLAG } from '@sealwire/channel/internal';
import { brand } from '@sealwire/crypto/internal';

import { checkTimeoutMs } from '../options.js';
import type { Metadata } from '../packet/message.js';

/** The options of one request or event. */
export interface SealwireRecordOptions {
  /** The timeout of this request, enforced at both ends, or of this event. Default: the client's `requestTimeoutMs`. */
  readonly timeoutMs?: number;
  /** Whether running the handler of this request twice is safe. Default: the client's `idempotent`. */
  readonly idempotent?: boolean;
  /** The delivery of this event. Default: the client's `delivery`. */
  readonly delivery?: Delivery;
  /** Strings for the handler, which reads them with `context.getMetadata()`; at most 65,535 bytes as JSON. */
  readonly metadata?: Metadata;
}

/** Data with options for this message only. Built by a {@link SealwireRecordBuilder}. */
export class SealwireRecord<Data = unknown> {
  static {
    brand(this, 'transport/SealwireRecord');
  }

  readonly data: Data;
  readonly options: SealwireRecordOptions;

  constructor(data: Data, options: SealwireRecordOptions) {
    this.data = data;
    this.options = options;
  }
}

/**
 * Builds a {@link SealwireRecord}:
 * `client.send('sum', new SealwireRecordBuilder([1, 2]).setTimeoutMs(500).setMetadata({ trace: '…' }).build())`
 */
export class SealwireRecordBuilder<Data = unknown> {
  static {
    brand(this, 'transport/SealwireRecordBuilder');
  }

  #data: Data | undefined;
  #options: SealwireRecordOptions = {};

  constructor(data?: Data) {
    this.#data = data;
  }

  /** Replaces the data of the message. */
  setData(data: Data): this {
    this.#data = data;
    return this;
  }

  /**
   * Sets the timeout of the message; 0 for none.
   *
   * @throws {TransportError} `ERR_BAD_OPTION` - not 0 to 2^31 - 1 milliseconds.
   */
  setTimeoutMs(timeoutMs: number): this {
    this.#options = { ...this.#options, timeoutMs: checkTimeoutMs('timeoutMs', timeoutMs) };
    return this;
  }

  /**
   * Sets whether a request is sent again if its connection fails before a value of its answer was passed on.
   *
   * @throws {TransportError} `ERR_BAD_OPTION` - not true or false.
   */
  setIdempotent(idempotent: boolean): this {
    checkOption('idempotent', idempotent, FLAG);
    this.#options = { ...this.#options, idempotent };
    return this;
  }

  /**
   * Sets the delivery of an event.
   *
   * @throws {TransportError} `ERR_BAD_OPTION` - not a {@link Delivery}.
   */
  setDelivery(delivery: Delivery): this {
    checkOption('delivery', delivery, DELIVERY);
    this.#options = { ...this.#options, delivery };
    return this;
  }

  /** Replaces the strings that the handler reads with `context.getMetadata()`; at most 65,535 bytes as JSON. */
  setMetadata(metadata: Metadata): this {
    this.#options = { ...this.#options, metadata };
    return this;
  }

  /**
   * Returns the record.
   *
   * @throws {TransportError} `ERR_BAD_OPTION` - the record has no data. Nest sends no message without data.
   */
  build(): SealwireRecord<Data> {
    const data = this.#data;
    if (data === undefined || data === null) throw new TransportError('ERR_BAD_OPTION', NO_DATA);
    return new SealwireRecord<Data>(data, this.#options);
  }
}

/** A request or event for the user's serializer. `metadata` is the field of Nest 12; earlier versions have no metadata. */
export type OutgoingPacket = ReadPacket & { readonly metadata?: Metadata };

const NO_DATA = 'The record has no data; pass the data to the constructor of SealwireRecordBuilder or to setData()';
const NOT_BUILT = 'The data is a SealwireRecordBuilder; send the result of its build()';

export interface UnwrappedRecord {
  readonly packet: OutgoingPacket;
  /** The timeout of the record; undefined if it has none, so that the timeout of the client applies. */
  readonly timeoutMs?: number;
  readonly idempotent?: boolean;
  readonly delivery?: Delivery;
}

/**
 * Takes the data out of a record. The metadata of the record overrides the metadata of a dispatch hook.
 *
 * @throws {TransportError} `ERR_BAD_OPTION` - the data is a builder, which would be sent as `{}`.
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
