import { SealwireClient, SealwireServer } from '@sealwire/transport';
import { lastValueFrom } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';

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
