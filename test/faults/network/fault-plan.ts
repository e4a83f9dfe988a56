import type { Random } from '../../support/random.js';

/** What happens to one direction of a connection when its byte `atByte` comes by. */
export type Incident =
  /** One bit is flipped. */
  | { readonly kind: 'corrupt'; readonly atByte: number; readonly bit: number }
  /** Nothing is read for a time, so that the sender has to wait. */
  | { readonly kind: 'stall'; readonly atByte: number; readonly ms: number }
  /** Everything is read and passed on later. */
  | { readonly kind: 'holdBack'; readonly atByte: number; readonly ms: number }
  /** The sender loses the connection; the receiver gets what is on its way, and loses the connection later. */
  | { readonly kind: 'abandon'; readonly atByte: number; readonly ms: number }
  /** The receiver gets no more than an end of the stream. */
  | { readonly kind: 'halfClose'; readonly atByte: number }
  /** Both ends lose the connection: by FIN, or by RST. */
  | { readonly kind: 'cut' | 'reset'; readonly atByte: number };

/** The fate of one direction of a connection. */
export interface PathPlan {
  /** The time that each piece takes. */
  readonly delayMs: number;
  /** The largest piece, in bytes: each is a write of its own. */
  readonly pieceBytes: number;
  readonly incident: Incident | undefined;
}

export type ConnectionPlan =
  /** The connection is accepted and reset. */
  { readonly at: 'REFUSED' } | { readonly at: 'ACCEPTED'; readonly c2s: PathPlan; readonly s2c: PathPlan };

export type FaultKind = Incident['kind'] | 'refuse' | 'delay' | 'split';

const INCIDENTS = ['corrupt', 'stall', 'holdBack', 'abandon', 'halfClose', 'cut', 'reset'] as const;
/** The handshake of a client: message 1, and CONFIRM. That of a server is a little shorter. */
const HANDSHAKE_BYTES = 178;
const MAX_LATER_BYTES = 60_000;
const MAX_DELAY_MS = 15;
const MAX_PIECE_BYTES = 64;
const MAX_PAUSE_MS = 1_500;

const PLAIN: PathPlan = { delayMs: 0, pieceBytes: Infinity, incident: undefined };
export const UNHARMED: ConnectionPlan = { at: 'ACCEPTED', c2s: PLAIN, s2c: PLAIN };

/** @param harshness - How many of 100 directions have an incident. */
export function drawConnection(random: Random, harshness: number): ConnectionPlan {
  if (random.below(100) < harshness && random.oneIn(10)) return { at: 'REFUSED' };
  return { at: 'ACCEPTED', c2s: drawPath(random, harshness), s2c: drawPath(random, harshness) };
}

function drawPath(random: Random, harshness: number): PathPlan {
  return {
    delayMs: random.oneIn(3) ? 1 + random.below(MAX_DELAY_MS) : 0,
    pieceBytes: random.oneIn(4) ? 1 + random.below(MAX_PIECE_BYTES) : Infinity,
    incident: random.below(100) < harshness ? drawIncident(random) : undefined,
  };
}

function drawIncident(random: Random): Incident {
  const kind = random.pick(INCIDENTS);
  const atByte = random.oneIn(4) ? random.below(HANDSHAKE_BYTES) : HANDSHAKE_BYTES + random.below(MAX_LATER_BYTES);
  const ms = 1 + random.below(MAX_PAUSE_MS);
  const bit = random.below(8);
  switch (kind) {
    case 'corrupt':
      return { kind, atByte, bit };
    case 'stall':
    case 'holdBack':
    case 'abandon':
      return { kind, atByte, ms };
    case 'halfClose':
    case 'cut':
    case 'reset':
      return { kind, atByte };
  }
}
