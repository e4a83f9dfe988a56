import type { Observable } from 'rxjs';

import type { Fact } from './attack-result.js';

export const ATTACK_NAMES = ['flip', 'replay', 'cut'] as const;

export type AttackName = (typeof ATTACK_NAMES)[number];

export interface Outcome {
  /** Whether nothing that was changed has had an effect. */
  readonly isRefused: boolean;
  /** The deed of the attacker, and the reactions of the caller and of the server. */
  readonly facts: readonly Fact[];
}

/** A client of its own for one attack, which changes what the client sends or receives. */
export interface AttackStage {
  readonly client: AttackedClient;
  /** How many calls ask for counters: 1 if all calls go to the same server. More than one may still miss a server. */
  readonly counterCalls: number;
  play(attack: AttackName): Promise<Outcome>;
}

export interface AttackedClient {
  connect(): Promise<unknown>;
  send<Result>(pattern: string, data: unknown): Observable<Result>;
  close(): Promise<void>;
}
