import type { PayloadShape } from './payload.js';

/** What is asked of every peer alike. */
export type Workload =
  /** Echoes, with a fixed number of requests under way. */
  | ({ readonly kind: 'echo'; readonly inFlight: number } & PayloadShape)
  /** Requests whose handlers need the processor for about a millisecond each. */
  | { readonly kind: 'hash'; readonly inFlight: number }
  /** Answers of many small values, one after the other. */
  | { readonly kind: 'stream'; readonly values: number }
  /** Events, with a fixed number of them under way. */
  | ({ readonly kind: 'events'; readonly inFlight: number } & PayloadShape)
  /** Connect, shake hands, be answered once, close; so many times at least. */
  | { readonly kind: 'connect'; readonly connections?: number }
  /** Connections that are held and say nothing, each answered once. */
  | { readonly kind: 'idle'; readonly connections: number }
  /** Small requests, one after the other: alone first, then while a transfer fills the same connection. */
  | { readonly kind: 'beside'; readonly transfer: 'stream' | 'message'; readonly transferBytes: number };

/** What a workload counts. */
export type Unit = 'request' | 'value' | 'event' | 'connection';

export const UNIT_OF: Readonly<Record<Workload['kind'], Unit>> = {
  echo: 'request',
  hash: 'request',
  stream: 'value',
  events: 'event',
  connect: 'connection',
  idle: 'connection',
  beside: 'request',
};

/** What a run may take beyond its own time before it counts as hung. */
const GRACE_MS: Readonly<Record<Workload['kind'], number>> = {
  echo: 10_000,
  hash: 10_000,
  stream: 10_000,
  events: 10_000,
  connect: 10_000,
  idle: 120_000,
  beside: 30_000,
};

/** A connection takes a few milliseconds where a machine is busy. */
const CONNECT_GRACE_MS = 20;

export function deadlineMs(workload: Workload, durationMs: number): number {
  const connections = workload.kind === 'connect' ? (workload.connections ?? 0) : 0;
  return durationMs + GRACE_MS[workload.kind] + connections * CONNECT_GRACE_MS;
}

/** Unique among all workloads; `64x256B` is 64 in flight of 256 bytes. */
export function nameOf(workload: Workload): string {
  switch (workload.kind) {
    case 'echo':
      return `${workload.inFlight}x${sizeOf(workload)}`;
    case 'hash':
      return `hash-${workload.inFlight}`;
    case 'stream':
      return `stream-${workload.values}`;
    case 'events':
      return `events-${workload.inFlight}x${sizeOf(workload)}`;
    case 'connect':
      return 'connect';
    case 'idle':
      return `idle-${workload.connections}`;
    case 'beside':
      return `beside-${formatBytes(workload.transferBytes)}-${workload.transfer}`;
  }
}

function sizeOf({ as, payloadBytes }: PayloadShape): string {
  return as === 'json' ? formatBytes(payloadBytes) : `${formatBytes(payloadBytes)}-${as}`;
}

export function formatBytes(bytes: number): string {
  const MIB = 1024 * 1024;
  if (bytes >= MIB && bytes % MIB === 0) return `${bytes / MIB}MiB`;
  return bytes >= 1024 && bytes % 1024 === 0 ? `${bytes / 1024}KiB` : `${bytes}B`;
}
