import { readFile, writeFile } from 'node:fs/promises';
import type { Machine } from './machine.js';
import type { PeerResult, Plan } from './rounds.js';

export interface GroupResult {
  readonly name: string;
  readonly peers: readonly PeerResult[];
}

/** What `--json` writes and `bench:plot` reads. */
export interface BenchResult {
  readonly machine: Machine;
  readonly plan: Pick<Plan, 'rounds' | 'runMs' | 'warmUpMs' | 'warmUpConnections'>;
  readonly groups: readonly GroupResult[];
}

export async function writeResult(path: string, result: BenchResult): Promise<void> {
  const text = JSON.stringify(
    result,
    (_, value: unknown) => (value instanceof Map ? Object.fromEntries(value) : value),
    1,
  );
  await writeFile(path, `${text}\n`);
}

/** The reverse, for a file that {@link writeResult} wrote. */
export async function readResult(path: string): Promise<BenchResult> {
  const { groups, ...rest } = JSON.parse(await readFile(path, 'utf8')) as WrittenResult;
  return {
    ...rest,
    groups: groups.map(({ name, peers }) => ({
      name,
      peers: peers.map((peer) => ({
        ...peer,
        measures: new Map(
          Object.entries(peer.measures).map(([workload, rounds]) => [workload, rounds.map(withoutNull)]),
        ),
        failures: new Map(Object.entries(peer.failures)),
      })),
    })),
  };
}

type Rounds = PeerResult['measures'] extends ReadonlyMap<string, infer Each> ? Each : never;
type WrittenPeer = Omit<PeerResult, 'measures' | 'failures'> & {
  readonly measures: Readonly<Record<string, readonly (Rounds[number] | null)[]>>;
  readonly failures: Readonly<Record<string, string>>;
};
type WrittenResult = Omit<BenchResult, 'groups'> & {
  readonly groups: readonly { readonly name: string; readonly peers: readonly WrittenPeer[] }[];
};

/** A round without a measure is null in JSON. */
function withoutNull(measure: Rounds[number] | null): Rounds[number] {
  return measure ?? undefined;
}
