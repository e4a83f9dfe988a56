import { describe, expect, it } from 'vitest';

import { SealwireRecordBuilder } from './record-builder.js';

/** The methods, as a caller without types calls them. */
interface Untyped {
  setIdempotent(value: unknown): unknown;
  setDelivery(value: unknown): unknown;
}

const builder = (): Untyped => new SealwireRecordBuilder('data');
const refused = (name: string): unknown =>
  expect.objectContaining({ code: 'ERR_BAD_OPTION', message: expect.stringContaining(name) as string });

describe('a record builder', () => {
  it.each([undefined, null, 'true', 0, 1, {}])('refuses setIdempotent(%j)', (value) => {
    expect(() => builder().setIdempotent(value)).toThrow(refused('idempotent'));
  });

  it.each([undefined, null, true, '', 'Sent', 'exactly-once', ['sent'], {}])('refuses setDelivery(%j)', (value) => {
    expect(() => builder().setDelivery(value)).toThrow(refused('delivery'));
  });

  it.each(['acknowledged', 'at-least-once', 'sent'] as const)('takes the delivery %s', (delivery) => {
    expect(new SealwireRecordBuilder('data').setDelivery(delivery).build().options).toEqual({ delivery });
  });

  it.each([true, false])('takes idempotent %s', (idempotent) => {
    expect(new SealwireRecordBuilder('data').setIdempotent(idempotent).build().options).toEqual({ idempotent });
  });
});
