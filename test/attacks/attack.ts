/** What is attacked. */
export const TARGETS = {
  L: 'the legacy wire',
  M: 'Moleculer 0.14 with its AES middleware',
  S: 'the secure channel, and in row 41 the sealed transports',
  T: "Nest's own TCP transport over TLS 1.2 with a pre-shared key",
  B: "Nest's own transports over NATS, Redis and MQTT",
} as const;

export type Target = keyof typeof TARGETS;

export interface Observation {
  readonly outcome: 'FALLS' | 'STANDS';
  /** What was seen, in one line, with the numbers that show it. */
  readonly saw: string;
}

/** One row of the suite: the same attack against every target to which it applies. */
export interface Attack {
  readonly row: number;
  /** What the attacker does. */
  readonly name: string;
  readonly against: { readonly [Name in Target]?: () => Promise<Observation> };
  /** The other targets that withstand it. */
  readonly withstoodBy?: readonly Target[];
  /** What this machine lacks for it, so that it is not carried out. */
  readonly lacks?: string;
}

/** The other targets are here so that a reader sees the attacks work. */
export function expected({ withstoodBy = [] }: Pick<Attack, 'withstoodBy'>, target: Target): Observation['outcome'] {
  return target === 'S' || withstoodBy.includes(target) ? 'STANDS' : 'FALLS';
}

/** The attack did not get as far as what it is about: it has shown nothing, and is tried again. */
export class NotCarriedOut extends Error {
  override readonly name = 'NotCarriedOut';
}

/** The target falls if any of `damage` has happened. */
export function stands(saw: string, damage: Readonly<Record<string, boolean>>): Observation {
  const done = Object.keys(damage).filter((what) => damage[what]);
  return done.length === 0 ? { outcome: 'STANDS', saw } : { outcome: 'FALLS', saw: `${done.join('; ')} (${saw})` };
}

/** The target falls if the attacker has reached the goal. */
export function falls(saw: string, success: boolean): Observation {
  return { outcome: success ? 'FALLS' : 'STANDS', saw };
}
