// A server ends a request at its deadline by itself: an honest client cancels then, which would hide that it does not.
import { finalize, firstValueFrom, NEVER, Subject, take, toArray } from 'rxjs';
import type { Observable } from 'rxjs';
import { afterEach, expect, it } from 'vitest';

import type { SealwireContext, SealwireServer } from '@sealwire/transport';
import { endAll, portOf, startServer } from '../support/pair.js';
import { RoguePeer } from '../support/rogue-peer.js';
import { asked, fragments, request } from '../support/rogue-words.js';

afterEach(() => endAll());

async function dial(server: SealwireServer): Promise<RoguePeer> {
  const rogue = await RoguePeer.dial(portOf(server));
  rogue.write(rogue.message1());
  await rogue.hears('message 2');
  return rogue;
}

it('a request without a CANCEL fails at its deadline, and its handler is stopped', async () => {
  const server = await startServer();
  const ended = new Subject<string>();
  const ends = firstValueFrom(ended.pipe(take(2), toArray()));
  const hang = (_data: unknown, context: SealwireContext): Promise<Observable<never>> => {
    context.getSignal().addEventListener('abort', () => ended.next('signal'));
    return Promise.resolve(NEVER.pipe(finalize(() => ended.next('observable'))));
  };
  server.addHandler('hang', hang);
  const rogue = await dial(server);
  rogue.say(rogue.confirm(), request(1, asked('hang', 1, 100)));
  await rogue.hears('ERROR 1 ERR_REQUEST_TIMEOUT');
  expect((await ends).sort()).toEqual(['observable', 'signal']);
  expect(server.snapshot()).toMatchObject({ running: 0, inFlight: 0, connections: 1 });
  rogue.leave();
  await rogue.left;
});

it('a request that is still being deserialized fails at its deadline', async () => {
  const server = await startServer({ deserializer: { deserialize: () => new Promise<never>(() => undefined) } });
  const rogue = await dial(server);
  rogue.say(rogue.confirm(), request(1, asked('echo', 1, 100)));
  await rogue.hears('ERROR 1 ERR_REQUEST_TIMEOUT');
  expect(server.snapshot()).toMatchObject({ running: 0, inFlight: 0, connections: 1 });
  rogue.leave();
  await rogue.left;
});

it('a request that is complete in time has only the rest of its time left', async () => {
  const server = await startServer();
  server.addHandler('hang', () => Promise.resolve(NEVER));
  const rogue = await dial(server);
  rogue.say(rogue.confirm(), ...fragments('REQUEST', 1, asked('hang', 'x'.repeat(70_000), 300), 60_000));
  await rogue.hears('ERROR 1 ERR_REQUEST_TIMEOUT');
  expect(server.snapshot()).toMatchObject({ running: 0, inFlight: 0, connections: 1 });
  rogue.leave();
  await rogue.left;
});
