import { setTimeout as pause } from 'node:timers/promises';

import type { KeySource } from '@sealwire/crypto';
import { lastValueFrom, tap, timeout } from 'rxjs';

import { brokerOptions } from '../../../channel/channel-options.js';
import type { Published } from '../../../channel/forwarded-nats-connection.js';
import type { Settings } from '../../../config/settings.js';
import { HttpFailure } from '../../../http/failure/http-failure.js';
import { bytesFact, changedByte } from '../attack-result.js';
import type { Fact } from '../attack-result.js';
import type { AttackName, AttackStage, Outcome } from '../attack-stage.js';
import { ANSWER_TIMEOUT_MS, callerFact, describe, echo } from '../echo.js';
import { AttackedBrokerClient } from './attacked-broker-client.js';

/** An answer to an envelope that was refused would arrive within this time. */
const ANSWER_MS = 1_000;
/** The place of the ciphertext in a compact JWE: header, encrypted key, IV, ciphertext, tag. */
const CIPHERTEXT = 3;
/**
 * Without a shared store, a server has no record of the envelopes that the other servers of its queue have received.
 */
const UNKNOWN_THERE: Fact = {
  name: 'Reason',
  text: 'The copy reached a server that had not received the envelope before. Servers that share a replay store refuse it (docs/brokers.md#replay).',
};

/** Attacks on envelopes, on a connection to the broker. */
export class BrokerStage implements AttackStage {
  readonly client: AttackedBrokerClient;
  /** Servers that share a queue get their calls at random. */
  readonly counterCalls = 8;

  constructor(urls: readonly string[], config: Settings, keyring: KeySource) {
    this.client = new AttackedBrokerClient(brokerOptions(urls, config, keyring));
  }

  play(attack: AttackName): Promise<Outcome> {
    return ATTACKS[attack](this.client);
  }
}

const ATTACKS: Readonly<Record<AttackName, (client: AttackedBrokerClient) => Promise<Outcome>>> = { flip, replay, cut };

/** Inverts one bit in the middle of the ciphertext of a request. */
async function flip(client: AttackedBrokerClient): Promise<Outcome> {
  let changed: Fact | undefined;
  client.attacked.changeNext(([subject, data = '', options]) => {
    const parts = Buffer.from(data).toString('latin1').split('.');
    const ciphertext = Buffer.from(parts[CIPHERTEXT] ?? '', 'base64url');
    changed = changedByte(ciphertext, 'bytes of the ciphertext');
    parts[CIPHERTEXT] = ciphertext.toString('base64url');
    return [subject, Buffer.from(parts.join('.'), 'latin1'), options];
  });
  const before = client.attacked.received;
  const caller = await callerFact(client);
  const answers = client.attacked.received - before;
  return { isRefused: answers === 0, facts: [attackOf(changed), caller, answersFact(answers)] };
}

/** Sends a request, which is answered, and then the same envelope again. */
async function replay(client: AttackedBrokerClient): Promise<Outcome> {
  let copy: Published | undefined;
  client.attacked.changeNext((published) => {
    copy = published;
    return published;
  });
  const answeredMs = await echo(client);
  const [subject, data = '', options] = copyOf(copy);
  let answers = 0;
  const inbox = client.attacked.subscribe(options?.reply ?? '', { callback: () => answers++ });
  client.attacked.publish(subject, data, options);
  await Promise.race([client.attacked.flush(), pause(ANSWER_TIMEOUT_MS, undefined, { ref: false })]);
  await pause(ANSWER_MS);
  inbox.unsubscribe();
  const sealed = Buffer.from(data);
  const text = `An envelope of ${sealed.length} bytes, answered in ${answeredMs.toFixed(1)} ms, was sent a second time.`;
  const facts = [bytesFact('Attack', text, sealed, 0, 10), answersFact(answers)];
  return answers === 0 ? { isRefused: true, facts } : { isRefused: false, facts: [...facts, UNKNOWN_THERE] };
}

/** Drops the second value of a stream. */
async function cut(client: AttackedBrokerClient): Promise<Outcome> {
  let arrived = 0;
  let dropped: Fact | undefined;
  client.attacked.dropOne(({ data }) => {
    if (++arrived !== 2) return false;
    const text = `An envelope of ${data.length} bytes, the second value of a stream, was dropped:`;
    dropped = bytesFact('Attack', text, Buffer.from(data), 0, 10);
    return true;
  });
  let values = 0;
  const stream = client.send('countdown', { from: 3, intervalMs: 0 }).pipe(
    timeout(ANSWER_TIMEOUT_MS),
    tap(() => values++),
  );
  const failure = await lastValueFrom(stream).then(() => undefined, describe);
  const end = failure === undefined ? 'the stream completed' : failure;
  const caller = { name: 'Caller', text: `Of the 4 values it got ${values}, and then: ${end}.` };
  return { isRefused: failure !== undefined && values === 1, facts: [attackOf(dropped), caller] };
}

/** @throws {HttpFailure} `ERR_NO_HANDLER` if nothing was sent or received that could be attacked. */
function attackOf(fact: Fact | undefined): Fact {
  if (fact === undefined) throw nothingToAttack();
  return fact;
}

function copyOf(copy: Published | undefined): Published {
  if (copy === undefined) throw nothingToAttack();
  return copy;
}

function nothingToAttack(): HttpFailure {
  return new HttpFailure(
    'ERR_NO_HANDLER',
    'There was no message to attack: the attacks call the handlers `echo` and `countdown`, so the server must have both',
  );
}

function answersFact(answers: number): Fact {
  return {
    name: 'Server',
    text: answers === 0 ? 'It sent no answer.' : `It sent ${answers === 1 ? 'an answer' : `${answers} answers`}.`,
  };
}
