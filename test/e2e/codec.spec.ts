import { SealwireClient, SealwireServer } from '@sealwire/transport';
import { lastValueFrom } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';

import { listenToWarnings, outcome } from '../support/application.js';
import { endAll, endLater, keyring, listen, patient, portOf } from '../support/pair.js';

type Codec = ReturnType<SealwireServer['createCodec']>;

afterEach(endAll);

/** Seals as the codec does, and then inverts every bit behind the length of each record; opens what was inverted. */
function inverted(codec: Codec): Codec {
  const { serializer, deserializer } = codec;
  const serialize: Codec['serializer']['serialize'] = (contents) => {
    const records = serializer.serialize(contents);
    for (let at = 0; at < records.length;) {
      const end = at + 2 + records.readUInt16BE(at);
      for (let index = at + 2; index < end; index++) records[index] = ~(records[index] ?? 0);
      at = end;
    }
    return records;
  };
  return {
    keyLeftMs: () => codec.keyLeftMs(),
    isShortOfUpdates: () => codec.isShortOfUpdates(),
    hibernate: () => codec.hibernate(),
    serializer: { serialize, wipe: () => serializer.wipe() },
    deserializer: {
      deserialize: (body) => deserializer.deserialize(Buffer.from(body.map((byte) => ~byte))),
      wipe: () => deserializer.wipe(),
    },
  };
}

class InvertedServer extends SealwireServer {
  override createCodec(...session: Parameters<SealwireServer['createCodec']>): Codec {
    return inverted(super.createCodec(...session));
  }
}

class InvertedClient extends SealwireClient {
  override createCodec(...session: Parameters<SealwireClient['createCodec']>): Codec {
    return inverted(super.createCodec(...session));
  }
}

async function start(Server: typeof SealwireServer): Promise<number> {
  const server = new Server({ port: 0, keyring, ...patient({}) });
  server.addHandler('echo', (data: unknown) => Promise.resolve(data));
  endLater(server);
  await listen(server);
  return portOf(server);
}

function clientOf(Client: typeof SealwireClient, port: number): SealwireClient {
  const client = new Client({ port, keyring, timeouts: { drainMs: 200 } });
  endLater(client);
  return client;
}

describe('the codec that a strategy and its clients create', () => {
  it('is the only place that seals records, so that another codec sends other bytes', async () => {
    const port = await start(InvertedServer);
    const client = clientOf(InvertedClient, port);
    expect(await lastValueFrom(client.send('echo', 'inverted'))).toBe('inverted');
    const plain = clientOf(SealwireClient, port);
    await expect(lastValueFrom(plain.send('echo', 'as usual'))).rejects.toMatchObject({ sent: expect.any(Boolean) });
  });
});

/** What a createCodec of JavaScript may return. */
const NO_CODECS: readonly [string, () => unknown][] = [
  ['undefined', () => undefined],
  ['an empty object', () => ({})],
  ['a promise', () => Promise.resolve({})],
  ['a promise that rejects', () => Promise.reject(new Error('no codec'))],
  ['half a codec', () => ({ serializer: { serialize: () => Buffer.alloc(0), wipe: () => undefined } })],
];

describe('a createCodec that returns no codec', () => {
  it.each(NO_CODECS)('at the server refuses the client, keeps nothing and is logged: %s', async (_what, create) => {
    class BadServer extends SealwireServer {
      override createCodec(): Codec {
        return create() as Codec;
      }
    }
    const server = new BadServer({ port: 0, keyring, ...patient({}) });
    endLater(server);
    await listen(server);
    const warnings = listenToWarnings();
    expect(await outcome(clientOf(SealwireClient, portOf(server)).send('echo', 1))).toMatchObject({
      code: 'ERR_ALERT',
    });
    const refusals = warnings.filter((line) => line.startsWith('Refused ')); // other servers may log as well
    expect(refusals).toEqual([expect.stringMatching(/The result of createCodec is .*\(ERR_INTERNAL\)/)]);
    await expect.poll(() => server.snapshot()).toMatchObject({ strangers: 0, connections: 0 });
    await server.close();
  });

  it.each(NO_CODECS)('at the client fails the call: %s', async (_what, create) => {
    class BadClient extends SealwireClient {
      override createCodec(): Codec {
        return create() as Codec;
      }
    }
    const client = clientOf(BadClient, await start(SealwireServer));
    expect(await outcome(client.send('echo', 1))).toMatchObject({ code: 'ERR_INTERNAL', sent: false });
    await client.close();
  });
});
