// The deadlines of one connection (docs/protocol.md §7).
import { clock } from '../clock.js';
import { toTransportError, TransportError } from '../errors.js';
import type { Limits } from '../options/limits.js';
import type { ControlContent } from '../record/content.js';
import type { ConnectionCodec } from './codec.js';
import { Deadlines } from './deadlines.js';
import type { DeadlineOwner } from './deadlines.js';
import type { Heartbeat } from './heartbeat.js';

/** The connection as its clocks use it. */
export interface ClockOwner {
  send(content: ControlContent): void;
  /** Seals everything that is due. */
  flush(): void;
  /** Called when nothing was sent or received for a while. */
  hibernate(): void;
  /** Called when the session or its keys are old enough to be replaced. */
  age(): void;
  expireDrain(): void;
  /** @param error - Undefined if both sides agreed to close. */
  destroy(error: TransportError | undefined): void;
  /** The last progress of the incomplete message that has waited longest. */
  readonly stalestProgressMs: number | undefined;
  /** The time since which the peer owes CREDIT. */
  readonly creditOwedSinceMs: number | undefined;
}

const EXPIRED = {
  record: () => new TransportError('ERR_RECORD_STALLED', 'Record timed out: the peer sent only a part of it'),
  pong: () => new TransportError('ERR_PING_TIMEOUT', 'PING timed out: the peer sent no PONG'),
  write: () => new TransportError('ERR_WRITE_STALLED', 'Write timed out: the peer stopped reading'),
  hardAge: () =>
    new TransportError('ERR_SESSION_EXPIRED', 'The session expired: it has reached timeouts.sessionHardAgeMs'),
  message: () => new TransportError('ERR_MESSAGE_STALLED', 'Message timed out: no further fragment arrived'),
  credit: () =>
    new TransportError('ERR_CREDIT_STALLED', 'CREDIT timed out: the peer has not reported any received bytes'),
} as const;

/** The first four are set at all times, the next three come with every record. */
const NAMES = [
  ...(['ping', 'softAge', 'hardAge', 'key'] as const),
  ...(['idle', 'record', 'write'] as const),
  ...(['pong', 'message', 'credit', 'drain', 'close'] as const),
];
type Name = (typeof NAMES)[number];

type KeyClock = Pick<ConnectionCodec, 'keyLeftMs' | 'isShortOfUpdates' | 'hibernate'>;

/** The time in which the peer has to report received bytes, fixed by docs/protocol.md §5.10. */
const CREDIT_TIMEOUT_MS = 60_000;
/** Rare enough that re-creating the ciphers costs nothing under load. */
const IDLE_CHECK_MS = 1_000;

/**
 * A client renews a session up to this fraction earlier, so that clients that connected together do not renew together.
 */
const EARLY_RENEWAL = 0.1;

/** Returns the age at which a session is replaced. A client draws it for each session, earlier than its server. */
export function softAgeMs(role: 'client' | 'server', { sessionSoftAgeMs }: Limits): number {
  return role === 'client' ? sessionSoftAgeMs * (1 - EARLY_RENEWAL * Math.random()) : sessionSoftAgeMs;
}

export class Clocks implements DeadlineOwner<Name> {
  readonly #limits: Limits;
  readonly #heartbeat: Heartbeat;
  readonly #codec: KeyClock;
  readonly #owner: ClockOwner;
  readonly #softAgeMs: number;
  readonly #deadlines = new Deadlines<Name>(this);

  constructor(limits: Limits, heartbeat: Heartbeat, codec: KeyClock, ageMs: number, owner: ClockOwner) {
    this.#limits = limits;
    this.#softAgeMs = ageMs;
    this.#heartbeat = heartbeat;
    this.#codec = codec;
    this.#owner = owner;
  }

  get deadlineNames(): readonly Name[] {
    return NAMES;
  }

  opened(): void {
    this.#deadlines.set('ping', this.#limits.pingIntervalMs, 0);
    this.#deadlines.set('softAge', this.#softAgeMs, 0);
    this.#deadlines.set('hardAge', this.#limits.sessionHardAgeMs, 0);
    this.#deadlines.set('key', this.#codec.keyLeftMs(), 0);
  }

  recordCompleted(): void {
    this.#deadlines.clear('record');
    this.hibernateLater();
  }

  /** Starts the timer of an idle connection after something was sent or received. */
  hibernateLater(): void {
    this.#deadlines.setOnce('idle', IDLE_CHECK_MS, 0);
  }

  /** Sends a PING now, unless one is unanswered. */
  ping(): void {
    if (this.#heartbeat.isUnanswered) return;
    this.#deadlines.set('pong', this.#limits.pongMs);
    try {
      this.#owner.send({ type: 'PING', token: this.#heartbeat.beginPing() });
    } catch (error) {
      this.#owner.destroy(toTransportError(error)); // the system may have no random bytes for the token
    }
  }

  /** Starts the deadline of a record. It is absolute, because a peer that sends single bytes must not extend it. */
  recordIsPartial(): void {
    this.#deadlines.setOnce('record', this.#limits.recordMs);
  }

  messageIsIncomplete(): void {
    this.#deadlines.setOnce('message', this.#limits.messageMs);
  }

  creditIsOwed(): void {
    this.#deadlines.setOnce('credit', CREDIT_TIMEOUT_MS);
  }

  pongReceived(): void {
    this.#deadlines.clear('pong');
  }

  /** Starts the deadline of the drain. */
  draining(drainMs: number): void {
    this.#deadlines.setOnce('drain', drainMs);
  }

  /** Leaves only the write and close deadlines after CLOSE was sent or received. */
  closing(): void {
    this.#deadlines.clearAll('write');
    this.#deadlines.set('close', this.#limits.closeMs);
  }

  stop(): void {
    this.#deadlines.clearAll();
  }

  /** Starts the write deadline after the socket has buffered a write. */
  writeIsPending(): void {
    this.#deadlines.setOnce('write', this.#limits.writeMs);
  }

  /** Restarts the write deadline after the socket has flushed a part of the write. */
  writeHasMoved(): void {
    this.#deadlines.set('write', this.#limits.writeMs);
  }

  writeIsDone(): void {
    this.#deadlines.clear('write');
  }

  expire(name: Name): void {
    switch (name) {
      case 'ping':
        this.#deadlines.set('ping', this.#limits.pingIntervalMs, 0);
        this.ping();
        return;
      case 'message':
        this.#checkProgress('message', this.#owner.stalestProgressMs, this.#limits.messageMs);
        return;
      case 'credit':
        this.#checkProgress('credit', this.#owner.creditOwedSinceMs, CREDIT_TIMEOUT_MS);
        return;
      case 'idle':
        this.#codec.hibernate();
        this.#owner.hibernate();
        this.#deadlines.hibernate();
        return;
      case 'key':
        this.#checkKey();
        return;
      case 'softAge':
        this.#deadlines.set('softAge', this.#softAgeMs, 0); // again, because a renewal needs an established connection
        this.#owner.age();
        return;
      case 'drain':
        this.#owner.expireDrain();
        return;
      case 'close':
        this.#owner.destroy(undefined);
        return;
      case 'record':
      case 'pong':
      case 'write':
      case 'hardAge':
        this.#owner.destroy(EXPIRED[name]());
        return;
    }
  }

  /** Replaces an old key. If a record or an earlier timer has already done that, waits for the end of the new key. */
  #checkKey(): void {
    const leftMs = this.#codec.keyLeftMs();
    this.#deadlines.set('key', leftMs > 0 ? leftMs : this.#limits.key.softAgeMs, 0);
    if (leftMs <= 0) this.#owner.flush();
    if (this.#codec.isShortOfUpdates()) this.#owner.age();
  }

  /** Moves the deadline if the peer has made progress since it was set. */
  #checkProgress(name: 'message' | 'credit', sinceMs: number | undefined, timeoutMs: number): void {
    if (sinceMs === undefined) return;
    const leftMs = sinceMs + timeoutMs - clock.nowMs();
    if (leftMs > 0) this.#deadlines.set(name, leftMs);
    else this.#owner.destroy(EXPIRED[name]());
  }
}
