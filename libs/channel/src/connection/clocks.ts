// Every wait of one connection has its deadline here (docs/protocol.md §7).
import { clock } from '../clock.js';
import { toTransportError, TransportError } from '../errors.js';
import type { Limits } from '../options/limits.js';
import type { ControlContent } from '../record/content.js';
import type { ConnectionCodec } from './codec.js';
import { Deadlines } from './deadlines.js';
import type { DeadlineOwner } from './deadlines.js';
import type { Heartbeat } from './heartbeat.js';

/** The connection, as its clocks see it: what it does when a time has come. */
export interface ClockOwner {
  send(content: ControlContent): void;
  /** Seals what is due. */
  flush(): void;
  /** Nothing has come or gone for a while. */
  hibernate(): void;
  /** The session is old enough to be replaced, or its keys are. */
  age(): void;
  expireDrain(): void;
  expireClose(): void;
  destroy(error: TransportError): void;
  /** When the incomplete message that waits longest made progress. */
  readonly stalestProgressMs: number | undefined;
  /** Since when the peer owes CREDIT. */
  readonly creditOwedSinceMs: number | undefined;
}

const EXPIRED = {
  record: () => new TransportError('ERR_RECORD_STALLED', 'A record that had begun was not completed in time'),
  pong: () => new TransportError('ERR_PING_TIMEOUT', 'No PONG in time'),
  write: () => new TransportError('ERR_WRITE_STALLED', 'The peer takes nothing'),
  hardAge: () => new TransportError('ERR_SESSION_EXPIRED', 'The session is older than it may be'),
} as const;

/** The first four are set at all times, the next three come with every record. */
const NAMES = [
  ...(['ping', 'softAge', 'hardAge', 'key'] as const),
  ...(['idle', 'record', 'write'] as const),
  ...(['pong', 'message', 'credit', 'drain', 'close'] as const),
];
type Name = (typeof NAMES)[number];

type KeyClock = Pick<ConnectionCodec, 'keyLeftMs' | 'isShortOfUpdates' | 'hibernate'>;

/** The peer has so long to report what it has taken (docs/protocol.md §5.10). It is fixed. */
const CREDIT_TIMEOUT_MS = 60_000;
/** Rare enough that a busy connection does not notice that it makes its ciphers again. */
const IDLE_CHECK_MS = 1_000;

/** A client renews its sessions up to so much earlier: those that connected together do not renew together. */
const EARLY_RENEWAL = 0.1;

/** The age at which a session is to be replaced: a client draws it for each, and comes before its server. */
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

  /** Something has come or gone: a while after that the connection may be idle. */
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
      this.#owner.destroy(toTransportError(error)); // the system may have no randomness for the token
    }
  }

  /** Absolute: a peer that drips bytes does not move it. */
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

  /** This side shuts down. */
  draining(drainMs: number): void {
    this.#deadlines.setOnce('drain', drainMs);
  }

  /** CLOSE was sent or received: nothing else counts any more, but that the peer takes it. */
  closing(): void {
    this.#deadlines.clearAll('write');
    this.#deadlines.set('close', this.#limits.closeMs);
  }

  stop(): void {
    this.#deadlines.clearAll();
  }

  /** The socket has not taken everything. */
  writeIsPending(): void {
    this.#deadlines.setOnce('write', this.#limits.writeMs);
  }

  /** It has taken some of it. */
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
        this.#checkProgress();
        return;
      case 'credit':
        this.#checkCredit();
        return;
      case 'idle':
        this.#codec.hibernate(); // it may be idle: what can be made again need not be held
        this.#owner.hibernate();
        this.#deadlines.hibernate();
        return;
      case 'key':
        this.#checkKey();
        return;
      case 'softAge':
        this.#deadlines.set('softAge', this.#softAgeMs, 0); // a connection that is not in use yet is not renewed
        this.#owner.age();
        return;
      case 'drain':
        this.#owner.expireDrain();
        return;
      case 'close':
        this.#owner.expireClose();
        return;
      case 'record':
      case 'pong':
      case 'write':
      case 'hardAge':
        this.#owner.destroy(EXPIRED[name]());
        return;
    }
  }

  /** A key of which a record, or the timer before, was the end is young: then the timer goes on to the end of its successor. */
  #checkKey(): void {
    const leftMs = this.#codec.keyLeftMs();
    this.#deadlines.set('key', leftMs > 0 ? leftMs : this.#limits.key.softAgeMs, 0);
    if (leftMs <= 0) this.#owner.flush();
    if (this.#codec.isShortOfUpdates()) this.#owner.age();
  }

  #checkCredit(): void {
    const sinceMs = this.#owner.creditOwedSinceMs;
    if (sinceMs === undefined) return;
    const leftMs = sinceMs + CREDIT_TIMEOUT_MS - clock.nowMs();
    if (leftMs > 0) this.#deadlines.set('credit', leftMs);
    else this.#owner.destroy(new TransportError('ERR_CREDIT_STALLED', 'No CREDIT in time for what was sent'));
  }

  #checkProgress(): void {
    const stalestMs = this.#owner.stalestProgressMs;
    if (stalestMs === undefined) return;
    const leftMs = stalestMs + this.#limits.messageMs - clock.nowMs();
    if (leftMs > 0) this.#deadlines.set('message', leftMs);
    else this.#owner.destroy(new TransportError('ERR_MESSAGE_STALLED', 'A message that had begun made no progress'));
  }
}
