// npm can install a package twice, in one application. What one copy made, the other one is given.
import * as crypto from '@sealwire/crypto';
import * as transport from '@sealwire/transport';
import { lastValueFrom } from 'rxjs';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { endAll, endLater, listen, portOf } from '../../../test/support/pair.js';

let otherCrypto: typeof crypto;
let other: typeof transport;

beforeAll(async () => {
  vi.resetModules();
  otherCrypto = await import('@sealwire/crypto');
  other = await import('@sealwire/transport');
});

afterEach(() => endAll());

const newKeyring = () => otherCrypto.Keyring.of(otherCrypto.SecretKey.fromBytes(otherCrypto.generateKey()));

/** A server of one copy, and a client and a keyring of the other. */
async function start() {
  const keyring = newKeyring();
  const server = new transport.SealwireServer({ port: 0, keyring });
  server.addHandler('ask', async (data: unknown, context: unknown) => {
    const isKnown = context instanceof other.SealwireContext;
    return { data, isKnown, metadata: context instanceof transport.SealwireContext && context.getMetadata() };
  });
  await listen(server);
  endLater(server);
  const client = new other.SealwireClient({ port: portOf(server), keyring });
  endLater(client);
  return client;
}

describe('instanceof', () => {
  it('has two copies to distinguish', () => {
    expect(other.TransportError).not.toBe(transport.TransportError);
    expect(otherCrypto.CryptoError).not.toBe(crypto.CryptoError);
  });

  it.each<[string, () => object, () => abstract new (...args: never[]) => object]>([
    ['TransportError', () => new other.TransportError('ERR_INTERNAL', 'x'), () => transport.TransportError],
    ['RemoteError', () => new other.RemoteError({ a: 1 }), () => transport.RemoteError],
    ['SealwireRecord', () => new other.SealwireRecordBuilder(1).build(), () => transport.SealwireRecord],
    ['SealwireRecordBuilder', () => new other.SealwireRecordBuilder(1), () => transport.SealwireRecordBuilder],
    ['CryptoError', () => new otherCrypto.CryptoError('ERR_OPEN_FAILED', 'x'), () => crypto.CryptoError],
  ])('recognizes a %s of the other copy', (_name, make, constructor) => {
    expect(make()).toBeInstanceOf(constructor());
    expect(new Error('x')).not.toBeInstanceOf(constructor());
    expect({ name: _name }).not.toBeInstanceOf(constructor());
  });

  it('recognizes keys and keyrings of the other copy', () => {
    expect(newKeyring()).toBeInstanceOf(crypto.Keyring);
    expect(newKeyring().primary).toBeInstanceOf(crypto.SecretKey);
    expect(crypto.Keyring.of(newKeyring().primary).ids).toHaveLength(1);
  });

  it('distinguishes a class of the application from the class that it extends', () => {
    class OwnError extends transport.TransportError {}
    expect(new OwnError('ERR_INTERNAL', 'x')).toBeInstanceOf(OwnError);
    expect(new OwnError('ERR_INTERNAL', 'x')).toBeInstanceOf(other.TransportError);
    expect(new other.TransportError('ERR_INTERNAL', 'x')).not.toBeInstanceOf(OwnError);
    expect(null).not.toBeInstanceOf(transport.TransportError);
  });
});

describe('a client of one copy and a server of the other', () => {
  it('accept a record of either copy, and both recognize a context', async () => {
    const client = await start();
    const record = new transport.SealwireRecordBuilder([1, 2]).setMetadata({ tenant: 'a' }).build();
    expect(await lastValueFrom(client.send('ask', record))).toEqual({
      data: [1, 2],
      isKnown: true,
      metadata: { tenant: 'a' },
    });
  });

  it('agree on the id of their transport', () => {
    expect(other.SEALWIRE).toBe(transport.SEALWIRE);
  });

  it('reject an unbuilt record builder of either copy', async () => {
    const client = await start();
    const notBuilt = { code: 'ERR_BAD_OPTION', sent: false, message: expect.stringContaining('build()') };
    for (const builder of [new transport.SealwireRecordBuilder([1]), new other.SealwireRecordBuilder([1])]) {
      await expect(lastValueFrom(client.send('ask', builder))).rejects.toMatchObject(notBuilt);
      await expect(lastValueFrom(client.emit('ask', builder))).rejects.toMatchObject(notBuilt);
    }
    await client.connect();
    await expect(lastValueFrom(client.send('ask', new other.SealwireRecordBuilder([1])))).rejects.toMatchObject(
      notBuilt,
    );
  });
});

describe('rejectSelf', () => {
  it.each(['client', 'server'])('refuses the other copy in the same process when the %s has it', async (end) => {
    const keyring = newKeyring();
    const server = new transport.SealwireServer({ port: 0, keyring, rejectSelf: end === 'server' });
    endLater(server);
    await listen(server);
    const client = new other.SealwireClient({ port: portOf(server), keyring, rejectSelf: end === 'client' });
    endLater(client);
    await expect(client.ping()).rejects.toBeInstanceOf(transport.TransportError);
  });
});
