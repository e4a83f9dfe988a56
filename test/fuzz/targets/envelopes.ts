// docs/envelope.md: what a broker delivers, from strangers and from holders of the key who break the rules.
import { Keyring, sealA128CbcHs256, SecretKey } from '@sealwire/crypto';

import { writeHeader } from '../../../libs/envelope/src/header.js';
import { openJwe } from '../../../libs/envelope/src/jwe.js';
import { openPlainly } from '../../support/plain-envelope.js';
import { mutate } from '../mutate.js';
import { Random } from '../../support/random.js';
import { hold, OK } from '../target.js';
import type { Target } from '../target.js';
import { anyJson } from './json.js';

/** The same in every process, because an input has to do the same again. */
const key = SecretKey.fromBytes(new Uint8Array(new Random(17).bytes(32)));
const keys = Keyring.of(key);
const cek = key.jweKey();
const SENDER = 'sLGys7S1tre4ubq7vL2-vw';
const ODD = [
  '"zip":"DEF"',
  '"crit":[]',
  '"sub":"x"',
  '"iat":1.5',
  '"\\u0061ud":"x"',
  ' ',
  '\\u0041',
  '-0',
  '1e9',
  '01',
] as const;
const TAG_BYTES = 16;

function anyHeader(random: Random): Buffer {
  const sub = random.pick(['nats:orders.created', 'mqtt:größe', 'x']);
  const genuine = writeHeader(key.id, { aud: 'orders', sub, iat: random.u32(), jti: `${SENDER}.${random.below(300)}` });
  if (random.oneIn(2)) return genuine;
  if (random.oneIn(8)) return anyJson(random);
  if (random.oneIn(2)) return mutate(genuine, random);
  const tokens = genuine.toString().match(/"[^"]*"|[^"]+?/g) ?? [];
  const at = random.below(tokens.length);
  tokens[at] = random.pick([tokens[random.below(tokens.length)] ?? '', random.pick(ODD), '', ` ${tokens[at]}\n`]);
  return Buffer.from(tokens.join(''));
}

/** Under a genuine tag, whatever the header is. */
function anyEnvelope(random: Random): Buffer {
  const header = anyHeader(random).toString('base64url');
  const iv = random.bytes(16);
  const sealed = Buffer.from(sealA128CbcHs256(cek, iv, Buffer.from(header), random.bytes(random.below(50))));
  const parts = [iv, sealed.subarray(0, -TAG_BYTES), sealed.subarray(-TAG_BYTES)];
  return Buffer.from([header, '', ...parts.map((part) => part.toString('base64url'))].join('.'));
}

export const envelopes: Target = {
  name: 'envelopes',
  codes: ['form', 'key', 'tag'],
  make(random) {
    if (random.oneIn(16)) return random.bytes(random.below(300));
    return random.oneIn(2) ? mutate(anyEnvelope(random), random) : anyEnvelope(random);
  },
  run(input) {
    const opened = openJwe(input, { keys });
    const again = openJwe(input.toString('latin1'), { keys });
    const expected = openPlainly(cek, key.id, input);
    hold(opened.ok === (expected !== undefined), opened.ok ? 'what must not open' : 'what must open does not');
    hold(opened.ok === again.ok, 'another outcome for text than for bytes');
    if (!opened.ok) return opened.reason;
    hold(expected !== undefined && Buffer.from(opened.plaintext).equals(expected), 'another plaintext');
    return OK;
  },
};
