// Row 41: what a client of a broker does that has every right there, and not the key.
import { isMissing } from '../../brokers/engines/engine.js';
import { HOSTILE_PROGRAMS } from '../../brokers/hostile/programs.js';
import { Stage } from '../../brokers/hostile/stage.js';
import { OPEN_MQTT } from '../../brokers/strangers/mqtt.js';
import { OPEN_NATS } from '../../brokers/strangers/nats.js';
import { OPEN_REDIS } from '../../brokers/strangers/redis.js';
import type { OpenBroker } from '../../brokers/strangers/stranger.js';
import { falls, stands, type Attack, type Observation } from '../attack.js';
import { atEnd } from '../clean-up.js';

const BROKERS = [OPEN_NATS, OPEN_REDIS, OPEN_MQTT];
const INSTALLED = BROKERS.filter(({ kind }) => !isMissing(kind));

const TRIED = `${HOSTILE_PROGRAMS.length} programs at ${INSTALLED.map(nameOf).join(', ')}${noteOfMissing()}`;

/** The programs that succeed, each with the names of the brokers. */
async function succeeding(isSealed: boolean): Promise<readonly string[]> {
  const brokersOf = new Map<string, string[]>(HOSTILE_PROGRAMS.map(({ name }) => [name, []]));
  for (const broker of INSTALLED) {
    const stage = await Stage.open(broker, { isSealed });
    atEnd(() => stage.close());
    for (const { name, succeeds } of HOSTILE_PROGRAMS) {
      if (await succeeds(stage)) brokersOf.get(name)?.push(broker.name);
    }
  }
  return [...brokersOf].filter(([, brokers]) => brokers.length > 0).map(([name, of]) => `${name} (${of.join(', ')})`);
}

async function attackNest(): Promise<Observation> {
  const programs = await succeeding(false);
  return falls(`${TRIED}: ${programs.join('; ')}`, programs.length > 0);
}

async function attackSealed(): Promise<Observation> {
  const programs = await succeeding(true);
  return stands(`${TRIED}, ${programs.length} succeeded`, Object.fromEntries(programs.map((name) => [name, true])));
}

function nameOf({ name }: OpenBroker): string {
  return name;
}

function noteOfMissing(): string {
  const missing = BROKERS.filter(({ kind }) => isMissing(kind));
  return missing.length === 0 ? '' : ` (without ${missing.map(({ kind }) => kind.aptPackage).join(', ')})`;
}

export const HOSTILE_BROKER: readonly Attack[] = [
  {
    row: 41,
    name: 'has every right at a broker',
    against: { B: attackNest, S: attackSealed },
    ...(INSTALLED.length === 0 && { lacks: 'a broker: apt-get install nats-server' }),
  },
];
