"""A session: the records of one connection after the handshake, without input or output (§5).

Bytes go in with `feed`, sealed bytes come out of `pump`, and `check` looks at ages and deadlines. The two
subclasses in client_streams.py and server_streams.py handle the frames of a client and of a server.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable

from .assembly import Assembly, Memory
from .credit import CreditGiver, CreditTaker
from .errors import Failure, Violation
from .frame import FROM_SERVER, Frame, parse
from .handshake import Announcement
from .limits import Clock, Limits
from .outbox import Lane, Message, Outbox
from .ping import Ping
from .record import BODY, CLOSE, CREDIT, DATA, GOAWAY, KEY_UPDATE, PING, PONG, Opener, Sealer

DONE, GOING_AWAY, IDLE, LIMIT = range(4)  # CLOSE codes (§5.8)


class Session:
    peer_kinds: frozenset[int]

    def __init__(
        self, sealer: Sealer, opener: Opener, own: Announcement, peer: Announcement,
        limits: Limits, clock: Clock, memory: Memory,
    ) -> None:
        self.sealer, self.opener, self.own, self.peer = sealer, opener, own, peer
        self.limits, self.clock = limits, clock
        self.assembly = Assembly(own.max_message, own.max_incomplete, memory, clock)
        self.giver = CreditGiver()
        self.taker = CreditTaker(clock, limits.window_cap)
        self.outbox = Outbox(peer.max_incomplete, self._begin, self._sealed)
        self.highest = 0  # the highest stream id that was begun (§6.5)
        self.begun = self.last_read = clock()
        self.sent: Counter[int] = Counter()  # records by type, for logs and tests
        self.read: Counter[int] = Counter()
        self.goaway_sent = self.goaway_read = self.went_first = False
        self.close_sent = self.close_read = False
        self.closed_at = 0.0
        self.on_goaway: Callable[[], None] = lambda: None  # the peer's GOAWAY was read
        self._goaway_wanted = False
        self._close_code: int | None = None
        self._end_code = DONE
        self._control: deque[bytes] = deque()  # CONFIRM and PING, in the order in which they were queued
        self._ping = Ping(clock)
        self._buffer = bytearray()
        self._record_since = 0.0

    def add_records(self, stats: dict[str, int]) -> None:
        """Count the records of this session to those of others, by direction and type."""
        for name, counter in (("sent", self.sent), ("read", self.read)):
            for kind, count in counter.items():
                stats[f"{name} {kind:02x}"] = stats.get(f"{name} {kind:02x}", 0) + count

    # What the subclasses do.
    def _take(self, frame: Frame) -> None:
        raise NotImplementedError

    def _begin(self, lane: Lane) -> None:
        raise NotImplementedError

    def _sealed(self, lane: Lane, message: Message) -> None:
        raise NotImplementedError

    def _count_open(self) -> int:
        raise NotImplementedError

    def _may_goaway(self) -> bool:
        """A client seals GOAWAY only when nothing waits that it still means to begin here (§5.3)."""
        return True

    # Reading.
    def feed(self, data: bytes) -> None:
        """Take bytes of the peer. Raises Failure, which ends the connection."""
        if data and self.close_read:
            raise Violation("R5.20 a byte after CLOSE")
        was_empty = not self._buffer
        self._buffer += data
        before = len(self._buffer)
        while (record := self.opener.next(self._buffer)) is not None:
            self._record(*record)
            if self.close_read and self._buffer:
                raise Violation("R5.20 a byte after CLOSE")
        if was_empty or len(self._buffer) < before:
            self._record_since = self.clock()

    def _record(self, inner: bytes, length: int) -> None:
        kind, body = inner[0], inner[1:]
        self.read[kind] += 1
        self.last_read = self.clock()
        if kind == DATA:
            if not body:
                raise Violation("R5.4 DATA without a frame")
            for frame in parse(body, self.peer_kinds):
                self._take(frame)
            self.giver.taken += length
            return
        if BODY.get(kind) != len(body):
            # CONFIRM is here as well: the handshake took it, so this is a second one (R5.5).
            raise Violation("R5.4 unknown type or a body of another length")
        if kind == CLOSE:
            if body[0] > LIMIT:
                raise Violation("R5.4 unknown CLOSE code")
            self.close_read = True
            self.close(body[0])  # the answer repeats the code; nothing happens if ours was sent (R5.21)
        elif kind == GOAWAY:
            if self.goaway_read:
                raise Violation("R5.15 a second GOAWAY")
            self.goaway_read = True
            self.went_first = self.goaway_sent
            self._goaway_wanted |= not self.goaway_sent  # R5.16
            self.on_goaway()
        elif kind == PING and not self.close_sent:
            self._ping.read(body)
        elif kind == PONG:
            self._ping.read_pong(body)
        elif kind == CREDIT:
            self.taker.read(body, self.close_sent)

    # Writing.
    def confirm(self, inner: bytes) -> None:
        """The client's record 0 (R4.15)."""
        self._control.append(inner)

    def ping(self) -> None:
        """Queue a PING, unless one of ours is unanswered (§5.6)."""
        token = b"" if self.close_sent else self._ping.ask()
        if token:
            self._control.append(bytes([PING]) + token)

    @property
    def answered(self) -> bool:
        return self._ping.answered

    def drain(self, code: int = GOING_AWAY) -> None:
        """No new streams here: GOAWAY, and CLOSE with `code` when the open ones have ended (§5.5)."""
        self._end_code = code
        self._goaway_wanted |= not self.goaway_sent

    def close(self, code: int) -> None:
        """CLOSE goes immediately; what else waits is dropped (§5.3)."""
        if not self.close_sent and self._close_code is None:
            self._close_code = code
            self.outbox.clear()

    @property
    def ended(self) -> bool:
        """CLOSE has passed both ways: nothing more to read or to seal."""
        return self.close_sent and self.close_read

    def pump(self, room: int) -> bytes:
        """The records of one write: about `room` bytes, in the order of R5.26."""
        out = bytearray()
        while len(out) < room and not self.close_sent:
            record = self._next()
            if not record:
                break
            out += record
        # GOAWAY waits for the DATA of at most one write, and that was it.
        if self._goaway_wanted and self._may_goaway() and not self.close_sent and self._close_code is None:
            self._goaway_wanted, self.goaway_sent = False, True
            out += self._seal(bytes([GOAWAY]))
            if len(out) < room:
                out += self._next()  # CLOSE may be due now
        return bytes(out)

    def _seal(self, inner: bytes) -> bytes:
        record = self.sealer.seal(inner)
        self.sent[inner[0]] += 1
        if inner[0] == DATA:
            self.taker.seal(len(record) - 2)
        elif inner[0] == PING:
            self._ping.seal()
        return record

    def _next(self) -> bytes:
        if self._drained() or self.sealer.n >= self.limits.session_records - 1:
            self.close(self._end_code if self._drained() else LIMIT)
        first = self.sealer.n == 0 and self.peer_kinds is FROM_SERVER
        if first and self._control:
            record = self._seal(self._control.popleft())
            self.start()
            return record
        if self._close_code is not None:
            record = self._seal(bytes([CLOSE, self._close_code]))
            self.close_sent, self.closed_at, self._close_code = True, self.clock(), None
            return record
        if self.sealer.due_by_age():
            return self._seal(bytes([KEY_UPDATE]))
        if self._control:
            return self._seal(self._control.popleft())
        if self._ping.pong is not None:
            return self._seal(bytes([PONG]) + self._ping.take_pong())
        if self.giver.due:
            return self._seal(bytes([CREDIT]) + self.giver.body())
        if self.sealer.due_by_use():
            return self._seal(bytes([KEY_UPDATE]))
        if self.outbox.passing:
            self.taker.narrow()
        body = self.outbox.fill(self.taker.may_bulk)
        return self._seal(bytes([DATA]) + body) if body else b""

    def _drained(self) -> bool:
        if not self.goaway_sent or self.close_sent or self._close_code is not None or self._count_open():
            return False
        # A client that began to drain need not wait for the answer: nobody else opens streams.
        return self.went_first or (not self.goaway_read and self.peer_kinds is FROM_SERVER)

    # Time.
    def start(self) -> None:
        """The session starts: CONFIRM was sealed, or verified (§1.3). Ages and PING count from here."""
        self.sealer.start()
        self.opener.start()
        self._ping.start()
        self.begun = self.clock()

    @property
    def age(self) -> float:
        return self.clock() - self.begun

    def check(self) -> None:
        """Look at the ages and deadlines of §7. Raises Failure when one has passed."""
        now, limits = self.clock(), self.limits
        if self.age >= limits.session_age_hard:
            raise Failure("the session has reached its hard age")
        if self._buffer and now - self._record_since >= limits.record:
            raise Failure("a record was begun and not completed")
        if self.assembly.overdue(limits.progress):
            raise Failure("R6.12 a message without a new fragment")
        if self.close_sent:
            return
        self.taker.check(limits.credit)
        if self._ping.due(limits.ping_every, limits.pong_within):
            self.ping()
