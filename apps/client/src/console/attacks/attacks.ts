// Three attacks on sealed records. Each returns what the attacker did, what the caller got, and how the server ended the
// connection.
import { TransportError } from '@sealwire/transport';

import { bytesFact } from './attack-result.js';
import type { Fact } from './attack-result.js';
import type { AttackedClient } from './attacked-client.js';
import { echo } from './echo.js';
import { watchEnding } from './ending.js';
import type { Ending } from './ending.js';

interface Outcome {
  readonly ending: Ending;
  readonly facts: readonly Fact[];
}

export const ATTACKS = { flip, replay, cut } as const;

export type AttackName = keyof typeof ATTACKS;

/** Inverts one bit in the middle of a record. */
async function flip(client: AttackedClient): Promise<Outcome> {
  const socket = client.unwrap();
  let ending: Promise<Ending> | undefined;
  let changed: Fact | undefined;
  client.attackNext((records) => {
    ending = watchEnding(socket);
    const at = records.length >> 1;
    const original = records.readUInt8(at);
    records.writeUInt8(original ^ 1, at);
    const text = `One bit of byte ${at} of ${records.length}: ${hexByte(original)} became ${hexByte(original ^ 1)}.`;
    changed = bytesFact('Attack', text, records, at, 1);
    return records;
  });
  return outcomeOf(await failureOf(client), () => [ending, changed]);
}

/** Sends a record, which is answered, and then the same bytes again. */
async function replay(client: AttackedClient): Promise<Outcome> {
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
  const repeated = bytesFact('Attack', text, copy, 0, 10);
  return { ending: await ending, facts: [repeated] };
}

/** Sends the first half of a record, and ends the stream. */
async function cut(client: AttackedClient): Promise<Outcome> {
  const socket = client.unwrap();
  let ending: Promise<Ending> | undefined;
  let changed: Fact | undefined;
  client.attackNext((records) => {
    ending = watchEnding(socket);
    const at = records.length >> 1;
    const text = `The stream ended after ${at} of ${records.length} bytes. The rest, which was never sent:`;
    changed = bytesFact('Attack', text, records, at, 8);
    setImmediate(() => socket.end());
    return records.subarray(0, at);
  });
  return outcomeOf(await failureOf(client), () => [ending, changed]);
}

async function outcomeOf(
  failure: Fact,
  attacked: () => readonly [Promise<Ending> | undefined, Fact | undefined],
): Promise<Outcome> {
  const [ending, changed] = attacked();
  if (ending === undefined || changed === undefined) throw new Error('No record was sealed');
  return { ending: await ending, facts: [changed, failure] };
}

/** Calls the server, and returns what its caller gets. */
async function failureOf(client: AttackedClient): Promise<Fact> {
  try {
    const milliseconds = await echo(client);
    return { name: 'Caller', text: `It was answered in ${milliseconds.toFixed(1)} ms.` };
  } catch (error) {
    const text = error instanceof TransportError ? `${error.code}: ${error.message}.` : String(error);
    return { name: 'Caller', text };
  }
}

function hexByte(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
