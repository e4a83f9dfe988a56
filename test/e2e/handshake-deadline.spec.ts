import { once } from 'node:events';

import { firstValueFrom } from 'rxjs';
import { afterEach, expect, it } from 'vitest';

import { FakeClock } from '../support/fake-clock.js';
import { endAll, portOf, startServer } from '../support/pair.js';
import { RoguePeer } from '../support/rogue-peer.js';

afterEach(endAll);

it('message 2 does not move the deadline of the handshake, which runs from accept to CONFIRM [R4.14]', async () => {
  const time = FakeClock.install();
  const server = await startServer({ timeouts: { handshakeMs: 5_000 } });
  const refused = firstValueFrom(server.connectionEvents);
  const accepted = once(server.unwrap(), 'connection');
  const rogue = await RoguePeer.dial(portOf(server));
  await accepted;
  time.advance(4_000);
  rogue.write(rogue.message1());
  await rogue.hears('message 2');
  time.advance(1_000);
  expect(await refused).toMatchObject({ type: 'refused', error: { code: 'ERR_HANDSHAKE_TIMEOUT' } });
  await rogue.left;
});
