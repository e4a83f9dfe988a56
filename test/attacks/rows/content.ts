// Rows 37 to 40 and 44: what stands inside messages, what errors tell, and noise.
import 'reflect-metadata';
import { randomBytes, randomInt } from 'node:crypto';
import { inspect } from 'node:util';

import { Controller, Module } from '@nestjs/common';
import type { LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessagePattern } from '@nestjs/microservices';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { CLIENT_MESSAGE_FAULTS } from '../../adversarial/faults/message.js';
import { SealwireServer } from '../../../libs/transport/src/index.js';
import { keyring, newClient, portOf } from '../../support/pair.js';
import { RoguePeer } from '../../support/rogue-peer.js';
import { asked, event, fragments, message, request } from '../../support/rogue-words.js';
import { stands, type Attack } from '../attack.js';
import { atEnd } from '../clean-up.js';
import { play } from '../play.js';
import { Channel, eventually, outcomeOf } from '../targets/channel.js';

async function poison() {
  const played = await play(CLIENT_MESSAGE_FAULTS, /__proto__|constructor/);
  return stands(played.saw, {
    [played.saw]: played.outcome === 'FALLS',
    'a prototype was changed': 'polluted' in {},
  });
}

const NO_TIMEOUT = Buffer.alloc(4);
const json = (text: string): Buffer => message(NO_TIMEOUT, 'count', '', Buffer.from(`\0${text}`));

const BOMBS: Readonly<Record<string, Buffer>> = {
  '100,000 deep': json(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`),
  '500,000 keys': json(`{${Array.from({ length: 500_000 }, (_, index) => `"k${index}":1`).join()}}`),
  'a number of 1,000,000 digits': json('9'.repeat(1_000_000)),
  '1e999999': json('1e999999'),
  'lone surrogates': json(JSON.stringify('\ud800'.repeat(1_000))),
};

async function bomb() {
  const channel = await Channel.open();
  const rogue = await channel.insider();
  const times: string[] = [];
  let stream = 0;
  for (const [name, payload] of Object.entries(BOMBS)) {
    stream += 1;
    const startMs = performance.now();
    rogue.say(
      ...(payload.length > 60_000 ? fragments('REQUEST', stream, payload, 60_000) : [request(stream, payload)]),
    );
    const answered = await eventually(() => rogue.words.some((word) => word.includes(` ${stream}`)));
    times.push(`${name} ${answered ? `${Math.round(performance.now() - startMs)} ms` : 'no answer'}`);
  }
  const played = await play(CLIENT_MESSAGE_FAULTS, /JSON that is|JSON of no|bad UTF-8|lists in lists/);
  return stands(`${times.join(', ')}; ${played.saw}`, {
    'a bomb was not answered': times.some((text) => text.endsWith('no answer')),
    'the connection ended': channel.ended.length > 0,
    'others were not served': !(await channel.servesOthers()),
    [played.saw]: played.outcome === 'FALLS',
  });
}

const HANDLER_SECRET = 'the password of the database';
const SENT_SECRET = 'the patient is called';

@Controller()
class FailingController {
  @MessagePattern('fail')
  fail(): never {
    throw new Error(`connect failed: ${HANDLER_SECRET}`);
  }
}

@Module({ controllers: [FailingController] })
class FailingModule {}

/** Makes handlers and parsers fail, and reads what comes back, and the log of a server whose messages are private. */
async function readErrors() {
  const lines: string[] = [];
  const note = (...parts: unknown[]): void => void lines.push(parts.map(String).join(' '));
  const logger: LoggerService = { log: note, warn: note, error: note };
  const strategy = new SealwireServer({ port: 0, keyring });
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(FailingModule, { strategy, logger });
  atEnd(() => app.close());
  await app.listen();
  const told = inspect(await outcomeOf(newClient(portOf(strategy)), 'fail', 1), { showHidden: true, depth: 9 });
  strategy.addHandler('raw', () => Promise.reject(new Error(`connect failed: ${HANDLER_SECRET}`)));
  const rawTold = inspect(await outcomeOf(newClient(portOf(strategy)), 'raw', 1), { showHidden: true, depth: 9 });
  const rogue = await RoguePeer.dial(portOf(strategy));
  atEnd(() => rogue.socket.destroy());
  rogue.write(rogue.message1());
  await rogue.hears('message 2');
  rogue.say(rogue.confirm(), request(1, json(`{"text":"${SENT_SECRET}",`)));
  await rogue.hears('ERROR 1 ERR_MESSAGE_MALFORMED');
  const badEvent = message(Buffer.alloc(8), 'fail', '', Buffer.from(`\0${SENT_SECRET}`));
  rogue.say(event(2, badEvent));
  await rogue.hears('ERROR 2 ERR_MESSAGE_MALFORMED');
  const forged = rogue.sealed(request(3, asked(SENT_SECRET)));
  forged.writeUInt8(forged.readUInt8(forged.length - 1) ^ 1, forged.length - 1);
  rogue.write(forged);
  await rogue.left;
  const logged = lines.join('\n');
  return stands(
    `the caller of a failing handler gets ${told.split('\n')[0]}, ${lines.length} lines of log without the text of a message`,
    {
      'the caller learned what failed': (told + rawTold).includes(HANDLER_SECRET),
      'the handler’s own error is not logged': !logged.includes(HANDLER_SECRET),
      'the text of a message is logged': logged.includes(SENT_SECRET),
    },
  );
}

/** The answer to a client of Nest is forged: it must fail that call, and not the process. */
async function forgeAnswer() {
  const channel = await Channel.open();
  const client = channel.client();
  await outcomeOf(client, 'count', 1);
  const uncaught: unknown[] = [];
  const note = (error: unknown): void => void uncaught.push(error);
  process.on('uncaughtExceptionMonitor', note).on('unhandledRejection', note);
  atEnd(() => process.off('uncaughtExceptionMonitor', note).off('unhandledRejection', note));
  channel.proxy.alter = (chunk, _offset, direction) => {
    if (direction === 'c2s') return chunk;
    const forged = Buffer.from(chunk);
    forged.writeUInt8(forged.readUInt8(forged.length - 1) ^ 1, forged.length - 1);
    return forged;
  };
  const result = await outcomeOf(client, 'count', 2);
  channel.proxy.alter = (chunk) => chunk;
  const next = await outcomeOf(client, 'count', 3);
  return stands(`the call fails with ${String(result)}, the next one is answered`, {
    'something was not caught': uncaught.length > 0,
    'the forgery was taken': result !== 'ERR_BAD_MAC',
    'the next call was not answered': next !== 3,
  });
}

const NOISES = 1_500;

/** A short part of `npm run fuzz`: noise, transcripts with changes, and noise where records should be. */
async function makeNoise() {
  const channel = await Channel.open({ limits: { maxStrangersPerAddress: 1_024 } });
  const noise = async (index: number): Promise<void> => {
    const rogue = await RoguePeer.dial(channel.port);
    atEnd(() => rogue.socket.destroy());
    const message1 = rogue.message1();
    // Where a changed length makes the server wait for more, there is no more: no deadline has to pass.
    if (index % 3 === 0) rogue.socket.end(randomBytes(randomInt(1, 600)));
    else if (index % 3 === 1) rogue.socket.end(changeAnywhere(message1));
    else {
      rogue.write(message1);
      await rogue.hears('message 2');
      const stream = rogue.sealed(rogue.confirm(), request(1));
      rogue.socket.end(Buffer.concat([changeAnywhere(stream.subarray(0, 34)), stream.subarray(34)]));
    }
    await rogue.left;
    if (rogue.words.some((word) => !['alert', 'message 2'].includes(word))) heard.push(rogue.words.join());
  };
  const heard: string[] = [];
  for (let at = 0; at < NOISES; at += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, index) => noise(at + index)));
  }
  return stands(`${NOISES} connections, ${[...new Set(channel.ended)].join(', ')}`, {
    'a handler ran': channel.runs > 0,
    'something opened': channel.server.snapshot().accepted > 0,
    [`more than the alert went out: ${heard[0]}`]: heard.length > 0,
    'others were not served': !(await channel.servesOthers()),
  });
}

function changeAnywhere(bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes);
  const at = randomInt(bytes.length);
  changed.writeUInt8(changed.readUInt8(at) ^ randomInt(1, 256), at);
  return changed;
}

export const CONTENT: readonly Attack[] = [
  { row: 37, name: 'poisons prototypes', against: { S: poison } },
  { row: 38, name: 'sends JSON that is hard to read', against: { S: bomb } },
  { row: 39, name: 'reads errors', against: { S: readErrors } },
  { row: 40, name: 'forges an answer', against: { S: forgeAnswer } },
  { row: 44, name: 'makes noise', against: { S: makeNoise } },
];
