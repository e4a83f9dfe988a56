// What a client of the broker without the key tries against a server and a client of Nest. A program resolves with whether
// it has succeeded.
import type { SeenMessage } from '../strangers/stranger.js';
import type { Cast, Stage } from './stage.js';
import type { Victim } from './victim.js';

const SECRET = 'the account number is 4711';
const NOT_OF_NEST = ['{"pattern":', 'null', '[]', '7', ''];

export interface HostileProgram {
  /** What a stranger does by it. */
  readonly name: string;
  readonly succeeds: (stage: Stage) => Promise<boolean>;
}

export const ENDS_SERVER: HostileProgram = {
  name: 'ends the server by a message that is not of Nest',
  async succeeds(stage) {
    const cast = await stage.cast();
    for (const text of NOT_OF_NEST) await stage.stranger.publish({ name: 'victim.other', data: bytesOf(text) });
    await stage.honestCall(cast);
    return cast.server.hasEnded;
  },
};

export const ENDS_CLIENT: HostileProgram = {
  name: 'ends the client by an answer that is not of Nest',
  async succeeds(stage) {
    const cast = await stage.cast();
    const request = await requestTo(stage, cast, 'victim.late', 'waits');
    const name = stage.broker.answersTo(request);
    for (const text of NOT_OF_NEST) await stage.stranger.publish({ name, data: bytesOf(text) });
    await stage.honestCall(cast);
    return cast.client.hasEnded;
  },
};

export const HOSTILE_PROGRAMS: readonly HostileProgram[] = [
  {
    name: 'reads requests and answers',
    async succeeds(stage) {
      const { client } = await stage.cast();
      const before = stage.seen.length;
      client.call('victim.echo', SECRET);
      await client.until(({ answer }) => answer === SECRET);
      await stage.hasSeen('victim.echo', before);
      return stage.seen.some(({ data }) => textOf(data).includes(SECRET));
    },
  },
  {
    name: 'has a request handled again',
    async succeeds(stage) {
      const cast = await stage.cast();
      const request = await requestTo(stage, cast, 'victim.late', 'once');
      await stage.stranger.publish(request);
      await stage.honestCall(cast);
      return timesHandled(cast.server, 'victim.late', 'once') > 1;
    },
  },
  {
    name: 'has a request handled by another handler',
    async succeeds(stage) {
      const cast = await stage.cast();
      const request = await requestTo(stage, cast, 'victim.late', 'moved');
      // RabbitMQ's transport finds the handler by the pattern in the message.
      const data = bytesOf(textOf(request.data).replace('"victim.late"', '"victim.other"'));
      await stage.stranger.publish({ ...request, name: 'victim.other', data });
      await stage.honestCall(cast);
      return timesHandled(cast.server, 'victim.other', 'moved') > 0;
    },
  },
  {
    name: 'has a request of its own handled',
    async succeeds(stage) {
      const cast = await stage.cast();
      const packet = { pattern: 'victim.other', data: 'forged', id: '1' };
      await stage.stranger.publish({ name: 'victim.other', data: bytesOf(JSON.stringify(packet)) });
      await stage.honestCall(cast);
      return timesHandled(cast.server, 'victim.other', 'forged') > 0;
    },
  },
  {
    name: 'answers in the place of the server',
    async succeeds(stage) {
      const cast = await stage.cast();
      const request = await requestTo(stage, cast, 'victim.late', 'asked');
      const [, id = ''] = /"id":"([^"]+)"/.exec(textOf(request.data)) ?? [];
      const packet = { response: 'forged', isDisposed: true, id };
      await stage.stranger.publish({ name: stage.broker.answersTo(request), data: bytesOf(JSON.stringify(packet)) });
      await stage.honestCall(cast);
      return cast.client.deeds.some(({ answer }) => answer === 'forged');
    },
  },
  ENDS_SERVER,
  ENDS_CLIENT,
];

/** Resolves with a request of the client, when the server has it and the stranger has seen it. */
async function requestTo(stage: Stage, cast: Cast, name: string, data: string): Promise<SeenMessage> {
  const before = stage.seen.length;
  cast.client.call(name, data);
  await cast.server.until(({ handled }) => handled?.[0] === name && handled[1] === data);
  return stage.hasSeen(name, before);
}

function timesHandled({ deeds }: Victim, name: string, data: string): number {
  return deeds.filter(({ handled }) => handled?.[0] === name && handled[1] === data).length;
}

function textOf(data: Uint8Array): string {
  return Buffer.from(data).toString();
}

function bytesOf(text: string): Uint8Array {
  return Buffer.from(text);
}
