import { randomBytes } from 'node:crypto';
import { OpeningKey, sealedBytes, SealingKey } from '#crypto/cipher/sealing-key.js';
import { openA128CbcHs256, sealA128CbcHs256 } from '@sealwire/crypto';
import { callsFor, type MicroCase } from './case.js';
import { encryptThenMac, macThenDecrypt, type Keys } from './openssl.js';

const PADDING_ROOM_BYTES = 16;
const SIZES_BYTES = [40, 300, 5000, 64_000];

export function sealCases(): readonly MicroCase[] {
  return SIZES_BYTES.flatMap(casesOf);
}

function casesOf(bytes: number): readonly MicroCase[] {
  const key = randomBytes(32);
  const keys: Keys = { mac: key.subarray(0, 16), enc: key.subarray(16), iv: randomBytes(16), aad: randomBytes(10) };
  const { iv, aad } = keys;
  const plaintext = randomBytes(bytes);
  const target = Buffer.alloc(sealedBytes(bytes));
  const sealed = Buffer.from(sealA128CbcHs256(key, iv, aad, plaintext));
  const [sealing, opening] = [new SealingKey(key), new OpeningKey(key)];
  const room = Buffer.concat([plaintext], bytes + PADDING_ROOM_BYTES); // sealing overwrites it: its length is all that counts
  const seal = (): void => sealing.sealInto(target, 0, iv, aad, room, bytes);
  const callsPerSample = callsFor(bytes);
  return [
    {
      name: `seal ${bytes}B`,
      callsPerSample,
      ways: [
        { name: 'sealing-key', run: seal },
        { name: 'plain', run: () => sealA128CbcHs256(key, iv, aad, plaintext) },
        { name: 'openssl', run: () => encryptThenMac(keys, plaintext) },
      ],
    },
    {
      name: `open ${bytes}B`,
      callsPerSample,
      ways: [
        { name: 'opening-key', run: () => opening.open(iv, aad, sealed) },
        { name: 'plain', run: () => openA128CbcHs256(key, iv, aad, sealed) },
        { name: 'openssl', run: () => macThenDecrypt(keys, sealed) },
      ],
    },
    {
      name: `seal-and-open ${bytes}B`,
      callsPerSample,
      ways: [
        {
          name: 'keys',
          run: () => {
            seal();
            return opening.open(iv, aad, target);
          },
        },
        {
          name: 'openssl',
          run: () => {
            encryptThenMac(keys, plaintext);
            return macThenDecrypt(keys, sealed);
          },
        },
      ],
    },
  ];
}
