// Key agreement: what broke other people's curves, against the keys of our handshake (docs/protocol.md §4.4).
import { describe, expect, it } from 'vitest';

import { readWycheproof, type WycheproofCase } from '../support/wycheproof.js';
import { keyPairOf } from '../support/key-pair.js';

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

interface AgreementCase extends WycheproofCase {
  readonly public: string;
  readonly private: string;
  readonly shared: string;
}

const isLowOrder = ({ flags }: AgreementCase) => flags.includes('ZeroSharedSecret');
const agree = (test: AgreementCase) => keyPairOf(hex(test.private)).sharedSecret(hex(test.public));
const file = readWycheproof<AgreementCase>('x25519_test.json');

describe.skipIf(file.missing)(`Wycheproof X25519${file.note}`, () => {
  const cases = file.groups.flatMap((group) => group.tests);

  it('has 518 cases, 31 of them with a point of low order', () => {
    expect(cases).toHaveLength(518);
    expect(cases.filter(isLowOrder)).toHaveLength(31);
  });

  it.each(cases.filter((test) => !isLowOrder(test)))('#$tcId $comment → agrees', (test) => {
    expect(agree(test).toString('hex')).toBe(test.shared);
  });

  it.each(cases.filter(isLowOrder))('#$tcId $comment → is refused with a code', (test) => {
    expect(() => agree(test)).toThrow(
      expect.objectContaining({ name: 'CryptoError', code: 'ERR_PUBLIC_KEY', fault: 'input' }),
    );
  });
});
