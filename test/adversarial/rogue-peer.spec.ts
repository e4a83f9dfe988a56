import { once } from 'node:events';
import type { Socket } from 'node:net';

import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { firstValueFrom, from, lastValueFrom, retry } from 'rxjs';

import type { SealwireClient, SealwireServer } from '../../libs/transport/src/index.js';
import { allowsRuns } from '../support/fault.js';
import type { ClientFault, Fault, ServerFault, Stage } from '../support/fault.js';
import { endAll, newClient, portOf, startServer } from '../support/pair.js';
import { RoguePeer } from '../support/rogue-peer.js';
import { RogueServer } from '../support/rogue-server.js';
import { CLIENT_FRAME_FAULTS, SERVER_FRAME_FAULTS } from './faults/frame.js';
import { STRANGER_FAULTS, UNCONFIRMED_FAULTS } from './faults/handshake.js';
import { SERVER_LIFECYCLE_FAULTS } from './faults/lifecycle-server.js';
import { CLIENT_LIFECYCLE_FAULTS } from './faults/lifecycle.js';
import { LISTENER_FAULTS } from './faults/listener.js';
import { CLIENT_MESSAGE_FAULTS, SERVER_MESSAGE_FAULTS } from './faults/message.js';
import { CLIENT_RECORD_FAULTS, SERVER_RECORD_FAULTS } from './faults/record.js';

/** More than a socket takes, in values that do not wait for credit. */
const FLOOD = Array.from({ length: 1_000 }, () => Buffer.alloc(16_000));
/** The lines of the servers' log, and what nobody has caught. */
const warnings: string[] = [];
const uncaught: unknown[] = [];
const rogueServers: RogueServer[] = [];
const note = (error: unknown): void => void uncaught.push(error);

beforeEach(() => {
  warnings.length = uncaught.length = 0;
  const quiet = (): void => undefined;
  Logger.overrideLogger({ log: quiet, error: quiet, warn: (line: unknown) => warnings.push(String(line)) });
  process.on('uncaughtExceptionMonitor', note).on('unhandledRejection', note).on('warning', note);
});

afterEach(async () => {
  for (const rogue of rogueServers.splice(0)) rogue.close();
  await endAll();
  Logger.overrideLogger(false);
  process.off('uncaughtExceptionMonitor', note).off('unhandledRejection', note).off('warning', note);
});

/** Counts every run of its handlers. */
async function startCounting(options: ClientFault['options']): Promise<{ server: SealwireServer; runs: () => number }> {
  let runs = 0;
  const server = await startServer(options);
  const counted =
    (handler: (data: unknown) => Promise<unknown>) =>
    (data: unknown): Promise<unknown> => {
      runs += 1;
      return handler(data);
    };
  server.addHandler(
    'count',
    counted(() => Promise.resolve(1)),
  );
  server.addHandler(
    'hang',
    counted(() => new Promise(() => undefined)),
  );
  server.addHandler(
    'later',
    counted((ms) => new Promise((resolve) => setTimeout(resolve, ms as number, 1))),
  );
  server.addHandler(
    'flood',
    counted(() => Promise.resolve(from(FLOOD))),
  );
  server.addHandler(
    'noted',
    counted(() => Promise.resolve()),
    true,
  );
  return { server, runs: () => runs };
}

const codesOf = (lines: readonly string[]): (string | undefined)[] =>
  lines.map((line) => /\((ERR_\w+)\)$/.exec(line)?.[1] ?? line);
/** GOAWAY may overtake a call, which then was not sent: with short lives of sessions it is tried again. */
const echo = (client: SealwireClient, word: string): Promise<unknown> =>
  firstValueFrom(client.send('echo', word).pipe(retry(1)));
const countConnections = (server: SealwireServer): Promise<number> =>
  new Promise((resolve) => server.unwrap().getConnections((_error, count) => resolve(count)));

function named<T extends Fault>(faults: readonly T[]): [string, T][] {
  return faults.map((fault) => [fault.name, fault]);
}

async function advance(rogue: RoguePeer, stage: Stage): Promise<void> {
  if (stage === 'connected') return;
  rogue.write(rogue.message1());
  await rogue.hears('message 2');
  if (stage === 'open') rogue.say(rogue.confirm());
}

// [R4.11] [R4.17] [R4.18] [R5.24]
describe('a server serves others, runs nothing and sends nothing, with a client that', () => {
  it.each(
    named([
      ...STRANGER_FAULTS,
      ...UNCONFIRMED_FAULTS,
      ...CLIENT_RECORD_FAULTS,
      ...CLIENT_FRAME_FAULTS,
      ...CLIENT_MESSAGE_FAULTS,
      ...CLIENT_LIFECYCLE_FAULTS,
    ]),
  )('%s', async (_name, fault) => {
    const { at, does, ends, hears = [], options, logs } = fault;
    const counting = await startCounting(options);
    const { server } = counting;
    const healthy = newClient(portOf(server), options);
    expect(await echo(healthy, 'before')).toBe('before');
    const accepted = once(server.unwrap(), 'connection') as Promise<[Socket]>;
    const rogue = await RoguePeer.dial(portOf(server));
    const [victim] = await accepted;
    const gone = new Promise((resolve) => victim.once('close', resolve));
    await advance(rogue, at);
    const heard = rogue.words.length;
    await Promise.all([does(rogue), echo(healthy, 'meanwhile')]);
    await gone;
    rogue.socket.resume();
    await rogue.left;
    expect(codesOf(warnings)).toEqual(logs ?? (ends === 'agreed' || ends === 'unseen' ? [] : [ends]));
    if (hears !== 'whatever') expect(rogue.words.slice(heard)).toEqual(hears);
    expect(counting.runs()).toSatisfy((runs: number) => allowsRuns(fault, runs));
    expect(await echo(healthy, 'after')).toBe('after');
    await expect.poll(() => countConnections(server)).toBe(1); // one that is replaced goes away by itself
    rogue.socket.destroy();
    expect(uncaught).toEqual([]);
  });
});

/** How the call of the victim ends: `answered`, the code or the message of its failure, or what the server said instead. */
function outcome(client: SealwireClient, victim: ServerFault['victim']): Promise<unknown> {
  const call = victim === 'emits' ? client.emit('noted', 1) : client.send('count', 1);
  return lastValueFrom(call, { defaultValue: undefined }).then(
    () => 'answered',
    (error: { code?: string; message?: string }) => error.code ?? error.message ?? error,
  );
}

// [R4.15] [R4.19] [R5.24]
describe('a client fails only that call, sends nothing more, and continues, with a server that', () => {
  it.each(
    named([
      ...LISTENER_FAULTS,
      ...SERVER_RECORD_FAULTS,
      ...SERVER_FRAME_FAULTS,
      ...SERVER_MESSAGE_FAULTS,
      ...SERVER_LIFECYCLE_FAULTS,
    ]),
  )('%s', async (_name, { at, does, ends, hears = [], options = {}, victim }) => {
    const honest = await startServer();
    const healthy = newClient(portOf(honest));
    expect(await echo(healthy, 'before')).toBe('before');
    const rogueServer = await RogueServer.start(portOf(honest));
    rogueServers.push(rogueServer);
    const client = newClient(rogueServer.port, options);
    const ended = outcome(client, victim);
    const rogue = await rogueServer.peer;
    if (at !== 'connected') await rogue.hears('message 1');
    if (at === 'open') {
      rogue.write(rogue.message2());
      await rogue.hears(victim === 'emits' ? 'EVENT 1' : 'REQUEST 1');
    }
    const heard = rogue.words.length;
    await Promise.all([does(rogue), echo(healthy, 'meanwhile')]);
    expect(await ended).toBe(ends);
    await rogue.left;
    if (hears !== 'whatever') expect(rogue.words.slice(heard)).toEqual(hears);
    rogue.socket.destroy();
    expect(await echo(client, 'again')).toBe('again');
    expect(await echo(healthy, 'after')).toBe('after');
    await expect.poll(() => countConnections(honest)).toBe(2);
    expect(uncaught).toEqual([]);
  });
});
