"""Records: sealing and opening one direction, with the update of its key (§5.1, §5.4)."""

from __future__ import annotations

from .cipher import CipherKey, rekey
from .errors import Failure, Violation
from .limits import UPDATE_BURST, UPDATE_FREE, UPDATE_MARGIN, UPDATE_SPACING, Clock, Limits

DATA, KEY_UPDATE, CLOSE, GOAWAY, PING, PONG, CONFIRM, CREDIT = range(1, 9)
# The bodies of fixed length (§5.2).
BODY = {KEY_UPDATE: 0, CLOSE: 1, GOAWAY: 0, PING: 8, PONG: 8, CREDIT: 8}
INNER_MOST = 65503


class Direction:
    """One traffic key and what is counted for it. Both sides count alike (§5.4)."""

    def __init__(self, key: bytes, limits: Limits, clock: Clock) -> None:
        self._raw, self.limits, self.clock = key, limits, clock
        self.cipher = CipherKey(key)
        self.n = self.bytes = self.records = self.updates = 0
        self.born = clock()
        self._allowance = UPDATE_BURST  # of KEY_UPDATEs, as the receiver counts them (R5.9)

    def start(self) -> None:
        """The session starts now; until then only CONFIRM travelled (§1.3)."""
        self.born = self.clock()

    def _count(self, length: int) -> None:
        if self.n % UPDATE_SPACING == UPDATE_SPACING - 1:
            self._allowance = min(UPDATE_BURST, self._allowance + 1)
        self.n += 1
        self.bytes += length
        self.records += 1

    def _update(self) -> None:
        """The next record is under REKEY(k); n goes on (R5.7)."""
        self._allowance -= self.clock() - self.born < UPDATE_FREE
        self._raw = rekey(self._raw)
        self.cipher = CipherKey(self._raw)
        self.bytes = self.records = 0
        self.updates += 1
        self.born = self.clock()


class Sealer(Direction):
    def seal(self, inner: bytes) -> bytes:
        assert 1 <= len(inner) <= INNER_MOST
        length = (len(inner) // 16 + 1) * 16 + 16
        head = length.to_bytes(2, "big")
        record = head + self.cipher.seal(self.n, self.n.to_bytes(8, "big") + head, inner)
        self._count(length)
        if inner[0] == KEY_UPDATE:
            self._update()
        return record

    def due_by_age(self) -> bool:
        """Never one for which the receiver has no allowance left: a short soft age would use it up."""
        age = self.clock() - self.born
        return age >= self.limits.key_age_soft and (self._allowance > 0 or age >= UPDATE_FREE + UPDATE_MARGIN)

    def due_by_use(self) -> bool:
        """A soft limit is reached, and the 64 records that a receiver expects are sealed (R5.8)."""
        used = self.bytes >= self.limits.key_bytes_soft or self.records >= self.limits.key_records_soft
        return used and self.records >= UPDATE_SPACING


class Opener(Direction):
    def next(self, buffer: bytearray) -> tuple[bytes, int] | None:
        """Take one whole record off the buffer: its inner and its length field; None if it is not all there."""
        if len(buffer) < 2:
            return None
        length = int.from_bytes(buffer[:2], "big")
        if length % 16 or not 32 <= length <= 65520:
            raise Violation("R5.1 length of a record")
        if len(buffer) < 2 + length:
            return None
        inner = self._open(bytes(buffer[: 2 + length]), length)
        del buffer[: 2 + length]
        return inner, length

    def _open(self, record: bytes, length: int) -> bytes:
        if self.n >= 2**48:
            raise Violation("§7 records of a session")
        if self.bytes >= self.limits.key_bytes_hard or self.records >= self.limits.key_records_hard:
            raise Violation("R5.10 a further record under a key that is used up")
        try:
            inner = self.cipher.open(self.n, self.n.to_bytes(8, "big") + record[:2], record[2:])
        except Failure:
            raise Failure("a record does not open") from None  # R5.3
        self._count(length)
        if not inner:
            raise Violation("R5.4 empty inner")
        kind, age = inner[0], self.clock() - self.born
        if age >= self.limits.key_age_hard and kind not in (KEY_UPDATE, CLOSE):
            raise Violation("R5.10 a record under a key that is too old")
        if kind == KEY_UPDATE and len(inner) == 1:
            if age < UPDATE_FREE and self._allowance == 0:
                raise Violation("R5.9 too many KEY_UPDATE")
            self._update()
        return inner
