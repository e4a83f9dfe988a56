// What broke other people's implementations, against ours. Every case is a test; the counts keep a lost case from passing.
import {
  decryptAes128Cbc,
  encryptAes128Cbc,
  hkdfExpand,
  hkdfExtract,
  hmacSha256,
  openA128CbcHs256,
  sealA128CbcHs256,
} from '@sealwire/crypto';
import { describe, expect, it } from 'vitest';

import { readWycheproof, type WycheproofCase } from '../support/wycheproof.js';

const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

interface AeadCase extends WycheproofCase {
  readonly key: string;
  readonly iv: string;
  readonly aad: string;
  readonly msg: string;
  readonly ct: string;
  readonly tag: string;
}

const sealed = ({ ct, tag }: AeadCase) => hex(ct + tag);
const aead = readWycheproof<AeadCase>('a128cbc_hs256_test.json');

describe.skipIf(aead.missing)(`Wycheproof A128CBC-HS256${aead.note}`, () => {
  const cases = aead.groups.flatMap((group) => group.tests);

  it('has 94 cases', () => {
    expect(cases).toHaveLength(94);
  });

  it.each(cases.filter(({ result }) => result === 'valid'))('#$tcId $comment → seals and opens', (test) => {
    const [key, iv, aad] = [hex(test.key), hex(test.iv), hex(test.aad)];
    expect(toHex(openA128CbcHs256(key, iv, aad, sealed(test)))).toBe(test.msg);
    expect(toHex(sealA128CbcHs256(key, iv, aad, hex(test.msg)))).toBe(test.ct + test.tag);
  });

  it.each(cases.filter(({ result }) => result !== 'valid'))('#$tcId $comment → does not open', (test) => {
    expect(() => openA128CbcHs256(hex(test.key), hex(test.iv), hex(test.aad), sealed(test))).toThrow(
      expect.objectContaining({ code: 'ERR_OPEN_FAILED' }),
    );
  });
});

interface CbcCase extends WycheproofCase {
  readonly key: string;
  readonly iv: string;
  readonly msg: string;
  readonly ct: string;
}

const cbc = readWycheproof<CbcCase>('aes_cbc_pkcs5_test.json');

describe.skipIf(cbc.missing)(`Wycheproof AES-128-CBC with PKCS #7 padding${cbc.note}`, () => {
  const cases = cbc.groups.filter(({ keySize }) => keySize === 128).flatMap((group) => group.tests);

  it('has 72 cases with a key of 128 bits', () => {
    expect(cases).toHaveLength(72);
  });

  it.each(cases.filter(({ result }) => result === 'valid'))('#$tcId $comment → encrypts and decrypts', (test) => {
    expect(toHex(encryptAes128Cbc(hex(test.key), hex(test.iv), hex(test.msg)))).toBe(test.ct);
    expect(toHex(decryptAes128Cbc(hex(test.key), hex(test.iv), hex(test.ct)))).toBe(test.msg);
  });

  it.each(cases.filter(({ result }) => result !== 'valid'))('#$tcId $comment → does not decrypt', (test) => {
    expect(() => decryptAes128Cbc(hex(test.key), hex(test.iv), hex(test.ct))).toThrow(
      expect.objectContaining({ code: 'ERR_DECRYPT_FAILED' }),
    );
  });
});

interface HkdfCase extends WycheproofCase {
  readonly ikm: string;
  readonly salt: string;
  readonly info: string;
  readonly size: number;
  readonly okm: string;
}

const derive = ({ ikm, salt, info, size }: HkdfCase) => hkdfExpand(hkdfExtract(hex(salt), hex(ikm)), hex(info), size);
const hkdf = readWycheproof<HkdfCase>('hkdf_sha256_test.json');

describe.skipIf(hkdf.missing)(`Wycheproof HKDF-SHA-256${hkdf.note}`, () => {
  const cases = hkdf.groups.flatMap((group) => group.tests);

  it('has 86 cases', () => {
    expect(cases).toHaveLength(86);
  });

  it.each(cases.filter(({ result }) => result === 'valid'))('#$tcId $comment → derives $size bytes', (test) => {
    expect(toHex(derive(test))).toBe(test.okm);
  });

  it.each(cases.filter(({ result }) => result !== 'valid'))('#$tcId $comment → refuses $size bytes', (test) => {
    expect(() => derive(test)).toThrow(expect.objectContaining({ code: 'ERR_HKDF_LENGTH' }));
  });
});

interface MacCase extends WycheproofCase {
  readonly key: string;
  readonly msg: string;
  readonly tag: string;
}

// Half of the cases have a tag that is cut to 128 bits, as ours is on the wire.
const computeTag = ({ key, msg, tag }: MacCase) => toHex(hmacSha256(hex(key), hex(msg))).slice(0, tag.length);
const mac = readWycheproof<MacCase>('hmac_sha256_test.json');

describe.skipIf(mac.missing)(`Wycheproof HMAC-SHA-256${mac.note}`, () => {
  const cases = mac.groups.flatMap((group) => group.tests);

  it('has 174 cases', () => {
    expect(cases).toHaveLength(174);
  });

  it.each(cases.filter(({ result }) => result === 'valid'))('#$tcId $comment → is the tag', (test) => {
    expect(computeTag(test)).toBe(test.tag);
  });

  it.each(cases.filter(({ result }) => result !== 'valid'))('#$tcId $comment → is not the tag', (test) => {
    expect(computeTag(test)).not.toBe(test.tag);
  });
});
