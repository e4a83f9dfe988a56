import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createKeyFile, generateKey, Keyring, SecretKey } from '@sealwire/crypto';
import { clock } from '@sealwire/crypto/internal';
import { afterEach, describe, expect, it } from 'vitest';

import { EnvelopeSealer, SealwireCodec } from './index.js';
import type { SealwireCodecOptions } from './index.js';

const key = SecretKey.fromBytes(generateKey());
const keys = Keyring.of(key);
const SUBJECT = 'jetstream:ORDERS';
const { unixMs } = clock;
const ends: (() => unknown)[] = [];

const newCodec = (options?: Partial<SealwireCodecOptions>): SealwireCodec =>
  new SealwireCodec({ keys, service: 'orders', subject: SUBJECT, ...options });

afterEach(async () => {
  clock.unixMs = unixMs;
  for (const end of ends.splice(0).toReversed()) await end();
});

async function newKeyFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sealwire-codec-'));
  ends.push(() => rm(folder, { recursive: true }));
  const path = join(folder, 'aes_key.bin');
  await createKeyFile(path);
  return path;
}

describe('SealwireCodec', () => {
  it.each([[{ id: 17, lines: [null, 'é', true] }], ['text'], [0], [null], [undefined], [[]]])(
    'decodes the data %j, which it has encoded',
    (data) => {
      const bytes = newCodec().encode(data);
      expect(String(Buffer.from(bytes))).toMatch(/^[\w-]+\.\.[\w-]+\.[\w-]+\.[\w-]+$/);
      expect(newCodec().decode(bytes)).toEqual(data);
    },
  );

  it('opens a message with the id that it was sealed with, as often as it is delivered', () => {
    const codec = newCodec();
    const sealed = [codec.seal(1), codec.seal(1)];
    expect(new Set(sealed.map(({ messageId }) => messageId)).size).toBe(2);
    for (const { bytes, messageId } of [...sealed, ...sealed]) {
      expect(codec.open(bytes)).toEqual({ ok: true, data: 1, messageId, keyId: key.id });
    }
  });

  it('opens a message that was stored for a year', () => {
    const bytes = newCodec().encode('old');
    clock.unixMs = () => unixMs() + 365 * 86_400_000;
    expect(newCodec().decode(bytes)).toBe('old');
  });

  it.each([
    ['form', Buffer.from('{"id":17}')],
    ['form', new Uint8Array()],
    ['form', undefined as unknown as Uint8Array],
    ['form', Buffer.from(new EnvelopeSealer({ keys, service: 'orders' }).seal(SUBJECT, Buffer.from('{')))],
    ['form', Buffer.from(new EnvelopeSealer({ keys, service: 'orders' }).seal(SUBJECT, Buffer.of(0x22, 0xff, 0x22)))],
    ['key', newCodec({ keys: Keyring.of(SecretKey.fromBytes(generateKey())) }).encode(1)],
    ['tag', newCodec().encode(1).fill(0x41, -22)],
    ['audience', newCodec({ service: 'Orders' }).encode(1)],
    ['subject', newCodec({ subject: 'jetstream:INVOICES' }).encode(1)],
  ])('refuses a message for the reason %s', (reason, bytes) => {
    const codec = newCodec();
    expect(codec.open(bytes)).toEqual({ ok: false, reason });
    expect(() => codec.decode(bytes)).toThrow(
      expect.objectContaining({
        code: 'ERR_ENVELOPE_REFUSED',
        fault: 'peer',
        message: expect.stringContaining(`(${reason})`),
      }),
    );
  });

  const circle: { self?: unknown } = {};
  circle.self = circle;

  it.each([[1n], [Symbol('order')], [() => 1], [circle]])('throws for data without a form in JSON: %o', (data) => {
    expect(() => newCodec().encode(data)).toThrow(
      expect.objectContaining({ code: 'ERR_ENVELOPE_UNSERIALIZABLE', fault: 'caller' }),
    );
  });

  it.each([
    ['subject', ''],
    ['service', ''],
    ['keys', {}],
    ['subject', 1],
  ])('throws for the option %s that is %j', (name, value) => {
    const newWrong = (): SealwireCodec => newCodec({ [name]: value });
    expect(newWrong).toThrow(expect.objectContaining({ code: 'ERR_ENVELOPE_OPTION' }));
    expect(newWrong).toThrow(name);
  });

  it('follows its key file until it is closed, and keeps the keys then', async () => {
    const keyFile = await newKeyFile();
    const options = { service: 'orders', subject: SUBJECT, pollMs: 20 };
    const codec = await SealwireCodec.watch(keyFile, options);
    ends.push(() => codec.close());
    const before = codec.encode('before');
    expect(codec.decode(before)).toBe('before');

    const replace = async (): Promise<string> => {
      const bytes = generateKey();
      await writeFile(keyFile, bytes);
      return SecretKey.fromBytes(bytes).id;
    };
    const keyIdOf = (): string => codec.seal(1).messageId.split('.')[0] ?? '';
    const second = await replace();
    await expect.poll(keyIdOf).toBe(second);
    expect(codec.open(before)).toEqual({ ok: false, reason: 'key' });

    codec.close();
    await replace();
    const other = await SealwireCodec.watch(keyFile, options);
    ends.push(() => other.close());
    expect(keyIdOf()).toBe(second);
    codec.close();
  });

  it('rejects if the key file is missing, or an option is wrong', async () => {
    const options = { service: 'orders', subject: SUBJECT };
    await expect(SealwireCodec.watch('/nowhere/aes_key.bin', options)).rejects.toMatchObject({ name: 'CryptoError' });
    const wrong = SealwireCodec.watch(await newKeyFile(), { ...options, subject: '' });
    await expect(wrong).rejects.toMatchObject({ code: 'ERR_ENVELOPE_OPTION' });
  });
});
