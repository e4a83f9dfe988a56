// The same hostile programs against Nest's own transports, which fall, and against the sealed ones, which stand.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { IS_NEST_11 } from '../conformance/nest-version.js';
import { isMissing, skipNote } from '../engines/engine.js';
import { OPEN_MQTT } from '../strangers/mqtt.js';
import { OPEN_NATS } from '../strangers/nats.js';
import { OPEN_RABBITMQ } from '../strangers/rabbitmq.js';
import { OPEN_REDIS } from '../strangers/redis.js';
import type { OpenBroker } from '../strangers/stranger.js';
import { ENDS_CLIENT, ENDS_SERVER, HOSTILE_PROGRAMS } from './programs.js';
import type { HostileProgram } from './programs.js';
import { Stage } from './stage.js';

/** What Nest's own transports withstand. */
const WITHSTOOD: Readonly<Record<OpenBroker['name'], readonly HostileProgram[]>> = {
  nats: IS_NEST_11 ? [] : [ENDS_SERVER],
  redis: [ENDS_SERVER, ENDS_CLIENT],
  mqtt: IS_NEST_11 ? [ENDS_SERVER] : [ENDS_SERVER, ENDS_CLIENT],
  rabbitmq: [ENDS_SERVER, ENDS_CLIENT],
};

for (const broker of [OPEN_NATS, OPEN_REDIS, OPEN_MQTT, OPEN_RABBITMQ]) {
  falls(`Nest's own transport over ${broker.name}`, broker, false, WITHSTOOD[broker.name]);
  falls(`The sealed transport over ${broker.name}`, broker, true, HOSTILE_PROGRAMS);
}

function falls(name: string, broker: OpenBroker, isSealed: boolean, withstood: readonly HostileProgram[]): void {
  describe.skipIf(isMissing(broker.kind))(`${name}${skipNote(broker.kind)}`, () => {
    let stage: Stage;

    beforeAll(async () => {
      stage = await Stage.open(broker, { isSealed });
    });

    afterAll(() => stage.close());

    for (const program of HOSTILE_PROGRAMS) {
      const succeeds = !withstood.includes(program);
      it(`${succeeds ? 'falls to' : 'withstands'} a stranger that ${program.name}`, async () => {
        expect(await program.succeeds(stage)).toBe(succeeds);
      });
    }
  });
}
