import { lookup } from 'node:dns/promises';
import type { Socket } from 'node:net';

import type { KeySource } from '@sealwire/crypto';

import { directOptions } from '../../../channel/channel-options.js';
import type { Settings } from '../../../config/settings.js';
import { bytesFact, changedByte } from '../attack-result.js';
import type { Fact } from '../attack-result.js';
import type { AttackName, AttackStage, Outcome } from '../attack-stage.js';
import { callerFact, echo } from '../echo.js';
import { AttackedConnectionClient } from './attacked-connection-client.js';
import { endingFact, watchEnding } from './ending.js';
import type { Ending } from './ending.js';

/** Attacks on sealed records, on a connection to the first server. */
export class ConnectionStage implements AttackStage {
  readonly client: AttackedConnectionClient;
  readonly counterCalls = 1;

  private constructor(client: AttackedConnectionClient) {
    this.client = client;
  }

  /**
   * Connects to the first address that accepts a connection. A name may have several addresses, but an attack is on one
   * connection.
   *
   * @throws {TransportError} If none does.
   */
  static async create(config: Settings, keyring: KeySource): Promise<ConnectionStage> {
    let failure: unknown;
    for (const server of await addressesOf(config)) {
      const client = new AttackedConnectionClient(directOptions({ ...config, server }, keyring));
      try {
        await client.connect();
        return new ConnectionStage(client);
      } catch (error) {
        failure = error;
        await client.close();
      }
    }
    throw failure;
  }

  async play(attack: AttackName): Promise<Outcome> {
    const { ending, facts } = await ATTACKS[attack](this.client);
    return { isRefused: ending.how !== 'none' && ending.bytes === 0, facts: [...facts, endingFact(ending)] };
  }
}

/** Returns the addresses of the first server; its name if it has none, because the error of its use is the usual one. */
async function addressesOf({ server }: Settings): Promise<readonly Settings['server'][]> {
  const [first = { host: '127.0.0.1', port: 8080 }] = 'servers' in server ? server.servers : [server];
  if (!('host' in first)) return [first];
  const { port } = first;
  const found = await lookup(first.host, { all: true }).catch(() => [{ address: first.host }]);
  return found.map(({ address }) => ({ host: address, port }));
}

interface Attacked {
  readonly ending: Ending;
  readonly facts: readonly Fact[];
}

const ATTACKS: Readonly<Record<AttackName, (client: AttackedConnectionClient) => Promise<Attacked>>> = {
  flip,
  replay,
  cut,
};

/** Inverts one bit in the middle of a record. */
function flip(client: AttackedConnectionClient): Promise<Attacked> {
  return attackNextRecord(client, (records) => ({ sent: records, fact: changedByte(records, 'sealed bytes') }));
}

/** Sends a record, which is answered, and then the same bytes again. */
async function replay(client: AttackedConnectionClient): Promise<Attacked> {
  const socket = client.unwrap();
  let copy = Buffer.alloc(0);
  client.attackNext((records) => {
    copy = Buffer.from(records);
    return records;
  });
  const answeredMs = await echo(client);
  const ending = watchEnding(socket);
  socket.write(copy);
  const text = `${copy.length} sealed bytes, answered in ${answeredMs.toFixed(1)} ms, were sent a second time.`;
  return { ending: await ending, facts: [bytesFact('Attack', text, copy, 0, 10)] };
}

/** Sends the first half of a record, and ends the stream. */
function cut(client: AttackedConnectionClient): Promise<Attacked> {
  return attackNextRecord(client, (records, socket) => {
    const at = records.length >> 1;
    const text = `The stream ended after ${at} of ${records.length} bytes. The rest, which was never sent:`;
    setImmediate(() => socket.end());
    return { sent: records.subarray(0, at), fact: bytesFact('Attack', text, records, at, 8) };
  });
}

/** @param change - Returns the bytes that are sent in place of the record, and describes the attack. */
async function attackNextRecord(
  client: AttackedConnectionClient,
  change: (records: Buffer, socket: Socket) => { readonly sent: Buffer; readonly fact: Fact },
): Promise<Attacked> {
  const socket = client.unwrap();
  const attacks: { readonly ending: Promise<Ending>; readonly fact: Fact }[] = [];
  client.attackNext((records) => {
    const ending = watchEnding(socket);
    const { sent, fact } = change(records, socket);
    attacks.push({ ending, fact });
    return sent;
  });
  const caller = await callerFact(client);
  const [attack] = attacks;
  if (attack === undefined) throw new Error('No record was sealed');
  return { ending: await attack.ending, facts: [attack.fact, caller] };
}
