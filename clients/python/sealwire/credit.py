"""CREDIT, in both roles (§5.10): what was taken, and what is outstanding."""

from __future__ import annotations

from collections import deque

from .errors import Failure, Violation
from .limits import CREDIT_DUE, CREDIT_LEAST, SAFE, WINDOW_LEAST, Clock


class CreditGiver:
    """The receiver of DATA: says how much it has taken."""

    def __init__(self) -> None:
        self.taken = self.reported = 0

    @property
    def due(self) -> bool:
        return self.taken - self.reported >= CREDIT_DUE  # R5.29

    def body(self) -> bytes:
        """The value is that of the moment of sealing."""
        assert self.taken - self.reported >= CREDIT_LEAST  # R5.30
        self.reported = self.taken
        return self.taken.to_bytes(8, "big")


class CreditTaker:
    """The sender of DATA: knows what is outstanding, and from that how long bulk waits."""

    def __init__(self, clock: Clock, cap: int) -> None:
        self._clock, self._cap = clock, max(cap, WINDOW_LEAST)
        self.sealed = self.acknowledged = 0
        self.window = WINDOW_LEAST
        self._silent_since: float | None = None  # since 262,144 was reached, or since the last CREDIT
        self._marks: deque[tuple[int, float]] = deque()  # what was sealed when, to measure the delay of CREDIT
        self._least = float("inf")
        self._last = clock()

    @property
    def outstanding(self) -> int:
        return self.sealed - self.acknowledged

    @property
    def may_bulk(self) -> bool:
        """The window is never below 262,144, so nothing is held back too early (R5.34)."""
        return self.outstanding < self.window

    def seal(self, length: int) -> None:
        self.sealed += length
        self._marks.append((self.sealed, self._clock()))
        if self.outstanding >= WINDOW_LEAST and self._silent_since is None:
            self._silent_since = self._clock()

    def read(self, body: bytes, closing: bool) -> None:
        taken = int.from_bytes(body, "big")
        if taken >= SAFE:
            raise Violation("R5.31 CREDIT of 2^53 or more")
        if closing:
            return  # after its own CLOSE a side ignores what it says
        if taken < self.acknowledged + CREDIT_LEAST:
            raise Violation("R5.31 CREDIT rises by too little")
        if taken > self.sealed:
            raise Violation("R5.31 CREDIT above what was sealed")
        self._measure(taken)
        self.acknowledged = taken
        self._silent_since = self._clock() if self.outstanding >= WINDOW_LEAST else None

    def _measure(self, taken: int) -> None:
        """The window follows the rate times the least delay of CREDIT, between 256 KiB and the cap."""
        now, at = self._clock(), None
        while self._marks and self._marks[0][0] <= taken:
            at = self._marks.popleft()[1]
        if at is not None:
            self._least = min(self._least, now - at)
        rate = (taken - self.acknowledged) / max(now - self._last, 1e-4)
        self._last = now
        if self._least < float("inf"):
            self.window = int(min(self._cap, max(WINDOW_LEAST, 2 * rate * self._least)))

    def narrow(self) -> None:
        """Small messages pass bulk: a small window keeps their way short."""
        self.window = WINDOW_LEAST

    def check(self, within: float) -> None:
        if self._silent_since is not None and self._clock() - self._silent_since >= within:
            raise Failure("R5.32 no CREDIT for too long")
